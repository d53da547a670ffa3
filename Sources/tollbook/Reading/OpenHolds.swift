import TollbookEvents
import TollbookLog

/// Tokens that are held as spent because nobody knows: what `tollbook resolve` closes.
struct OpenHold: Hashable, Sendable {
  let fetch: Position
  let attempt: UInt32
  let credential: String
  let unit: String
  let tokens: Int64
  /// When the attempt was sent, at the latest.
  let sent: Timestamp
  /// Whether no reading can tell any more.
  var isUnprovable = false
}

extension LogOnDisk {
  /// All that is in doubt or unprovable, oldest first: from the events themselves, so that it can be asked beside an
  /// owner too.
  func openHolds() throws(LogError) -> [OpenHold] {
    var open: [[UInt64]: OpenHold] = [:]
    try scan(after: 0, kinds: [.chargeInDoubt, .chargeResolved]) { recorded in
      switch recorded.event {
      case .chargeInDoubt(let event):
        open[[event.fetch, UInt64(event.attempt)]] = OpenHold(
          fetch: event.fetch, attempt: event.attempt, credential: event.credential,
          unit: event.unit, tokens: event.tokens, sent: Timestamp(milliseconds: event.sentMs))
      case .chargeResolved(let event):
        for doubt in event.doubts {
          let key = [doubt.fetch, UInt64(doubt.attempt)]
          if doubt.unprovable > 0 { open[key]?.isUnprovable = true } else { open[key] = nil }
        }
      default: break
      }
      return true
    }
    return open.values.sorted { ($0.fetch, $0.attempt) < ($1.fetch, $1.attempt) }
  }
}
