import JSONText

/// The exchange's clock beside ours, as it is kept.
struct ClockEntry: Hashable, Sendable {
  let sample: BinanceClockSample

  init(_ sample: BinanceClockSample) { self.sample = sample }

  /// Nil: it is not what is written here.
  init?(_ bytes: [UInt8]) {
    guard let root = try? JSONDocument(bytes, maximumDepth: 2, maximumValues: 8).root,
      let offset = root["offset_ms"]?.int64, let uncertainty = root["uncertainty_ms"]?.int64,
      let received = root["received_ms"]?.int64, BinanceTime.range.contains(received),
      0...BinanceClockSample.longestTrip ~= uncertainty,
      offset.magnitude < BinanceTime.day * 36_525,
      let sample = BinanceClockSample(
        sent: received - 2 * uncertainty, received: received,
        serverTime: received - uncertainty + offset)
    else { return nil }
    self.sample = sample
  }

  var json: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.field("offset_ms", sample.offset)
      json.field("uncertainty_ms", sample.uncertainty)
      json.field("received_ms", sample.received)
    }
    return json.bytes
  }
}
