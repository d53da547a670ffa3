package import TollbookEvents
import TollbookLog
import TollbookUpstreams
package import TollbookViews

/// How a credential stands: what somebody said of it, and what follows from the books.
package struct CredentialStanding: Sendable {
  /// The raw values are part of the HTTP API. What comes first in this order is told: what stops a credential before what
  /// only limits it, and what is used up before what is nearly.
  package enum Status: String, Sendable, CaseIterable {
    /// Somebody switched it off.
    case disabled
    /// Somebody said so, or the upstream refuses it.
    case expired
    /// Its limit is used up, or the upstream's bucket is empty.
    case exceeded
    /// The upstream wants no calls for a while.
    case cooling
    case belowThreshold = "below_threshold"
    case active
  }

  package var status: Status
  /// Whether nobody has switched it off.
  package var isSwitchedOn: Bool
  /// Whether the upstream refuses it.
  package var isRejected: Bool
  /// Whether it can send a call. One whose bucket is empty can: the upstream's meter decides that for each call.
  package var isUsable: Bool
  /// What the upstream said when it refused it.
  package var detail: String
  /// What counts towards its limit; nil: it is not counted.
  package var used: Int64?
  /// What is left of its limit, or in the upstream's bucket; nil: nobody knows.
  package var remaining: Int64?
  package var cooling: CoolingRow?
  /// Until when the upstream wants no calls; nil: it takes them.
  package var coolsUntil: Timestamp?

  /// Fewer than that are told as nearly used up: 3,000 units, or a twentieth of a smaller limit.
  static func threshold(of limit: Int64) -> Int64 { min(3_000, limit / 20) }

  /// - Parameters:
  ///   - row: nil: it is in the settings alone.
  ///   - meters: of the upstream, those that it counts on.
  init(
    of id: String, _ row: CredentialRow?, on meters: [UpstreamMeter], _ books: PurchaseBooks,
    at now: Timestamp, _ state: borrowing LogReading
  ) throws(LogError) {
    let ledger = try books.ledger.credential(id, in: state)
    isRejected = ledger?.status == .rejected
    detail = ledger?.detail ?? ""
    isSwitchedOn = row?.status != .disabled && row?.status != .expired
    let group = row?.quotaGroup ?? meters.first?.key.owner ?? id
    cooling = try books.credentials.cooling(of: group, in: state)
    coolsUntil = cooling.flatMap { now < $0.until ? $0.until : nil }
    var bucket: Int64?
    for meter in meters {
      guard case .refillBucket(let rule) = meter.rule else { continue }
      let page = try books.ledger.meter(meter.key, in: state)
      if page.reading != nil, !page.awaitsRestoreGap {
        bucket = rule.available(on: page, at: now)
        break
      }
    }
    var left: Int64?
    if let row {
      let page = try books.ledger.meter(row.limitMeter(of: id), in: state)
      let spent = page[.settled] &+ page[.reserved] &+ page[.inDoubt] &+ page[.unprovable]
      used = spent
      left = row.limit.map { $0 &- spent }
    }
    remaining = [left, bucket].compactMap(\.self).min()
    let isUsedUp = left.map { $0 <= 0 } ?? false
    if row?.status == .disabled {
      status = .disabled
    } else if row?.status == .expired || isRejected {
      status = .expired
    } else if isUsedUp || bucket.map({ $0 <= 0 }) ?? false {
      status = .exceeded
    } else if coolsUntil != nil {
      status = .cooling
    } else if let left, let limit = row?.limit, left < Self.threshold(of: limit) {
      status = .belowThreshold
    } else {
      status = .active
    }
    isUsable = isSwitchedOn && !isRejected && !isUsedUp && coolsUntil == nil
  }
}

extension CredentialRow {
  /// What counts all that the credential spends, so that a limit can be set at any time.
  func limitBudget(of id: String) -> Budget? {
    Budget(id, limitRow(of: id))
  }

  /// The meter of that.
  func limitMeter(of id: String) -> MeterKey { MeterKey(.budget, owner: id, unit: unit) }
}
