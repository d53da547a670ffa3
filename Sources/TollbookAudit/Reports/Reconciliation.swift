package import JSONText
import TollbookArchive
package import TollbookEvents

/// A reading of an upstream's own books that ours do not explain: somebody else uses the key, or the books are wrong.
package struct ReadingDrift: Hashable, Sendable {
  package let position: Position
  package let time: Timestamp
  /// The meter, and the window that was read, if it counts in windows.
  package let meter: MeterKey
  /// Whether the upstream told how much of a window is used; else the balance of a bucket.
  package let isOfWindow: Bool
  /// What the upstream said, and what was expected at the least and at the most.
  package let figure: Int64
  package let predictedLow: Int64
  package let predictedHigh: Int64
  /// Moved by somebody else; negative: given back.
  package let unexplained: Int64
  /// The reading before, that still agreed: it happened after that. Nil if it is before what the log holds.
  package let after: (position: Position, time: Timestamp)?
  /// The first calls that were begun or booked between the two readings, by the positions of their `FetchStarted`.
  package let calls: [Position]
  /// How many there were.
  package let callCount: Int

  package static func == (left: ReadingDrift, right: ReadingDrift) -> Bool {
    left.position == right.position && left.calls == right.calls
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(position) }
}

/// A charge for which the upstream took another amount than the price list says.
package struct PriceDrift: Hashable, Sendable {
  package let position: Position
  package let time: Timestamp
  package let fetch: Position
  package let operation: String
  package let unit: String
  package let amount: Int64
  package let expected: Int64
  package let reserved: Int64
}

/// How far the upstreams' own books and ours are apart, in one unit.
package struct UnitDrift: Hashable, Sendable {
  /// Sum of what no call of ours explains, restores apart.
  package internal(set) var unexplained: Int64 = 0
  /// What the first readings after restores show that the log does not know of.
  package internal(set) var restoreGap: Int64 = 0
  /// Charged above what the price list says, and below.
  package internal(set) var aboveList: Int64 = 0
  package internal(set) var belowList: Int64 = 0
  /// Charged above what had been reserved.
  package internal(set) var excess: Int64 = 0
  /// Posted from upstreams' bills: what is billed beyond what is booked; negative: billed less.
  package internal(set) var billed: Int64 = 0

  package static let zero = UnitDrift()
}

/// How the upstreams' own books compare to ours, over the range of an audit.
package struct Reconciliation: Sendable {
  /// The most that each list names.
  package static let listLimit = 1_000
  package static let callLimit = 20

  package internal(set) var readings: Int64 = 0
  /// Of each unit in which something differs.
  package internal(set) var amounts = PerUnit<UnitDrift>()
  package internal(set) var driftCount: Int64 = 0
  package internal(set) var drifts: [ReadingDrift] = []
  /// First readings after a restore: what the log does not know of.
  package internal(set) var restoreGaps: [ReadingDrift] = []

  package internal(set) var priceDriftCount: Int64 = 0
  package internal(set) var priceDrifts: [PriceDrift] = []

  package var isClean: Bool { driftCount == 0 && priceDriftCount == 0 && restoreGaps.isEmpty }

  /// How far the books are apart in a unit.
  package subscript(unit: String) -> UnitDrift { amounts[unit] ?? .zero }

  mutating func add(_ drift: ReadingDrift, isRestoreGap: Bool) {
    let unit = drift.meter.unit
    if isRestoreGap {
      amounts[unit, default: .zero].restoreGap &+= drift.unexplained
      if restoreGaps.count < Self.listLimit { restoreGaps.append(drift) }
    } else {
      amounts[unit, default: .zero].unexplained &+= drift.unexplained
      driftCount += 1
      if drifts.count < Self.listLimit { drifts.append(drift) }
    }
  }

  mutating func add(price drift: PriceDrift) {
    let difference = drift.amount &- drift.expected
    if difference > 0 {
      amounts[drift.unit, default: .zero].aboveList &+= difference
    } else {
      amounts[drift.unit, default: .zero].belowList &-= difference
    }
    priceDriftCount += 1
    if priceDrifts.count < Self.listLimit { priceDrifts.append(drift) }
  }

  mutating func add(billed: Int64, unit: String) {
    amounts[unit, default: .zero].billed &+= billed
  }

  mutating func add(excess: Int64, unit: String) {
    amounts[unit, default: .zero].excess &+= excess
  }
}

/// What happened on a meter since its last reading.
struct MeterWatch: Sendable {
  /// More calls than that between two readings are not told apart.
  private static let mostCalls = 10_000

  private(set) var reading: (position: Position, time: Timestamp)?
  /// The first ones.
  private(set) var calls: [Position] = []
  private var seen: Set<Position> = []
  private var last: Position = 0

  var callCount: Int { seen.count }

  mutating func note(call: Position) {
    // A call's own events mostly follow each other.
    guard call != last else { return }
    last = call
    guard seen.count < Self.mostCalls, seen.insert(call).inserted else { return }
    if calls.count < Reconciliation.callLimit { calls.append(call) }
  }

  mutating func note(reading position: Position, at time: Timestamp) {
    reading = (position, time)
    calls.removeAll(keepingCapacity: true)
    seen.removeAll(keepingCapacity: true)
    last = 0
  }
}

// MARK: As JSON

extension Reconciliation {
  package func write(to json: inout JSONWriter) {
    json.object { json in
      json.field("readings", readings)
      json.array("amounts", amounts) { json, element in
        json.object { json in
          json.field("unit", element.unit)
          json.amount("unexplained", element.value.unexplained, element.unit)
          json.amount("restore_gap", element.value.restoreGap, element.unit)
          json.amount("above_list", element.value.aboveList, element.unit)
          json.amount("below_list", element.value.belowList, element.unit)
          json.amount("above_reserved", element.value.excess, element.unit)
          json.amount("billed", element.value.billed, element.unit)
        }
      }
      json.field("drift_count", driftCount)
      json.array("drifts", drifts) { json, drift in drift.write(to: &json) }
      json.array("restore_gaps", restoreGaps) { json, drift in drift.write(to: &json) }
      json.object("prices") { json in
        json.field("drift_count", priceDriftCount)
        json.array("drifts", priceDrifts) { json, drift in drift.write(to: &json) }
      }
    }
  }
}

extension ReadingDrift {
  fileprivate func write(to json: inout JSONWriter) {
    json.object { json in
      json.field("position", position)
      json.field("time", time.description)
      meter.writeMembers(to: &json)
      let unit = meter.unit
      json.amount(isOfWindow ? "used" : "balance", figure, unit)
      json.amount("predicted_low", predictedLow, unit)
      json.amount("predicted_high", predictedHigh, unit)
      json.amount("unexplained", unexplained, unit)
      json.field("after_position", after?.position)
      json.field("after_time", after?.time.description)
      json.array("calls", calls)
      json.field("call_count", callCount)
    }
  }
}

extension PriceDrift {
  fileprivate func write(to json: inout JSONWriter) {
    json.object { json in
      json.field("position", position)
      json.field("time", time.description)
      json.field("fetch", fetch)
      json.field("operation", operation)
      json.field("unit", unit)
      json.amount("amount", amount, unit)
      json.amount("expected", expected, unit)
      json.amount("reserved", reserved, unit)
    }
  }
}
