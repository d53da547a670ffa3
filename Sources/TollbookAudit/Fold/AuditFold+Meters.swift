import Bytes
import TollbookEvents

/// A meter as an audit numbers its names.
struct AuditMeter: Hashable, Sendable {
  var ownerKind: Int
  var owner: Int
  /// Nil: it has none.
  var dimensions: Int?
  /// Its number among the units.
  var unit: Int
}

extension AuditFold {
  /// The meter that fields of an event name.
  mutating func meter(_ fields: MeterFields, _ record: RawSpan) -> AuditMeter {
    AuditMeter(
      ownerKind: fields.ownerKind, owner: names.number(of: fields.owner, in: record),
      dimensions: fields.dimensions.isEmpty
        ? nil : names.number(of: ByteName(bytes: dimensions(fields, record))),
      unit: units.number(of: fields.unit, in: record))
  }

  /// The dimensions as they stand in a `MeterKey`.
  private func dimensions(_ fields: MeterFields, _ record: RawSpan) -> [UInt8] {
    var bytes: [UInt8] = []
    for range in fields.dimensions {
      var name = 0..<0
      var value = 0..<0
      var parts = WireFields(range)
      while let part = parts.next(in: record) {
        switch (part.number, part.kind) {
        case (1, .bytes): name = part.range
        case (2, .bytes): value = part.range
        default: break
        }
      }
      bytes += record.bytes(in: name) + [2] + record.bytes(in: value) + [1]
    }
    return bytes
  }

  /// The meter that a page of the books is of.
  mutating func meter(_ page: MeterKey) -> AuditMeter {
    var dimensions: [UInt8] = []
    for dimension in page.dimensions {
      dimensions += Array(dimension.name.utf8) + [2] + Array(dimension.value.utf8) + [1]
    }
    return AuditMeter(
      ownerKind: page.ownerKind.rawValue, owner: names.number(of: page.owner),
      dimensions: dimensions.isEmpty ? nil : names.number(of: ByteName(bytes: dimensions)),
      unit: units.number(of: page.unit))
  }

  /// The page of a meter that counts in no windows.
  private func page(of meter: AuditMeter) -> MeterKey {
    MeterKey(
      bytes: [UInt8(clamping: meter.ownerKind)] + names.all[meter.owner].bytes + [0]
        + (meter.dimensions.map { names.all[$0].bytes } ?? []) + [0]
        + units.all[meter.unit].bytes + [0])
  }

  mutating func note(call: Position, _ meter: AuditMeter) {
    meters[meter, default: MeterWatch()].note(call: call)
  }

  // MARK: Readings

  mutating func observed(_ event: ObservedFields, _ record: RawSpan) {
    let meter = meter(event.meter, record)
    observed(
      meter, unexplained: event.unexplained, isRestoreGap: event.isRestoreGap
    ) { fold, watch in
      ReadingDrift(
        position: fold.position, time: fold.last, meter: fold.page(of: meter), isOfWindow: false,
        figure: event.balance, predictedLow: event.predictedLow,
        predictedHigh: event.predictedHigh, unexplained: event.unexplained, after: watch.reading,
        calls: watch.calls, callCount: watch.callCount)
    }
  }

  mutating func observed(_ event: WindowObserved) {
    let page = MeterKey(event.meter, window: event.window)
    observed(meter(page), unexplained: event.unexplained, isRestoreGap: false) { fold, watch in
      ReadingDrift(
        position: fold.position, time: fold.last, meter: page, isOfWindow: true,
        figure: event.used, predictedLow: event.predictedLow, predictedHigh: event.predictedHigh,
        unexplained: event.unexplained, after: watch.reading, calls: watch.calls,
        callCount: watch.callCount)
    }
  }

  /// What is posted from an upstream's bill.
  mutating func billed(_ event: InvoicePosted) {
    let meter = meter(MeterKey(event.meter, window: event.window))
    guard isCounting, event.unexplained != 0 else { return }
    reconciliation.add(billed: event.unexplained, unit: units.all[meter.unit].text)
  }

  private mutating func observed(
    _ meter: AuditMeter, unexplained: Int64, isRestoreGap: Bool,
    _ drift: (AuditFold, MeterWatch) -> ReadingDrift
  ) {
    var watch = meters[meter] ?? MeterWatch()
    if isCounting {
      reconciliation.readings += 1
      if isRestoreGap || unexplained != 0 {
        reconciliation.add(drift(self, watch), isRestoreGap: isRestoreGap)
      }
    }
    watch.note(reading: position, at: last)
    meters[meter] = watch
  }
}
