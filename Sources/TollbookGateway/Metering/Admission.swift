package import TollbookEvents
import TollbookViews

/// Whether a purchase fits: the longest prefix of it that fits on all meters it uses, in request order, and when the
/// rest may be tried again. One decision over all meters: where one of them says no to the first item, nothing is
/// reserved on any.
package struct Admission: Sendable, Hashable {
  /// How many of the items fit.
  package var admitted: Int
  /// Why not all; nil if all fit.
  package var refusal: RefusalReason?
  /// When the first refused item would fit, once what is held now has ended; nil if waiting does not help or nobody
  /// knows.
  package var retryAt: Timestamp?
  /// The number of the meter that said no: of several the one that frees last. Without a refusal the first.
  package var refusedBy = 0
  /// What the refused rest wants of each meter, and what is there.
  package var wants: [Wanted]

  package struct Wanted: Sendable, Hashable {
    package var page: MeterKey
    package var wanted: Int64
    package var available: Int64
    /// When the first refused item would fit on this meter; nil: it does, or waiting does not help.
    package var retryAt: Timestamp?
    /// The budget that the page is of; nil: it is the upstream's own meter's.
    package var budget: Budget?
    /// Until when the upstream takes no call on the meter, by its own word; nil: it takes them.
    package var closedUntil: Timestamp?
  }

  /// What could be spent of the meter that said no.
  package var available: Int64 { wants.isEmpty ? 0 : wants[refusedBy].available }

  /// Decides over items in request order.
  ///
  /// - Parameters:
  ///   - meters: those that the purchase uses; each knows what the items cost on it.
  ///   - callSize: how many items one call takes.
  package init(on meters: [MeterStanding], callSize: Int = .max) {
    let count = meters.map(\.use.bounds.count).min() ?? 0
    let available = meters.map(\.available)
    func fits(_ items: Int, on index: Int) -> Bool {
      !meters[index].use.refuses
        || meters[index].needed(forFirst: items, callSize: callSize) <= available[index]
    }
    // A larger call may cost less than a smaller one: so the longest is looked for, and not the first that does not
    // fit.
    let admitted =
      (1...max(1, count)).last { items in
        items <= count && meters.indices.allSatisfy { fits(items, on: $0) }
      } ?? 0
    self.admitted = admitted
    wants = zip(meters, available).map { meter, available in
      Wanted(
        page: meter.page, wanted: meter.use.bounds[admitted..<count], available: available,
        budget: meter.use.budget, closedUntil: meter.closedUntil)
    }
    guard admitted < count else { return }
    var last: Timestamp?
    for index in meters.indices where !fits(admitted + 1, on: index) {
      wants[index].retryAt = meters[index].instant(ofItemAfter: admitted, callSize: callSize)
      let frees = wants[index].retryAt ?? Timestamp(milliseconds: .max)
      guard last.map({ frees > $0 }) ?? true else { continue }
      last = frees
      refusedBy = index
      refusal = meters[index].use.rule.refusal
      retryAt = wants[index].retryAt
    }
  }
}

extension Admission {
  /// Refuses everything, for a reason that no meter has.
  package init(refusing reason: RefusalReason, on meters: [MeterStanding]) {
    self.init(on: meters)
    admitted = 0
    refusal = reason
    retryAt = nil
    refusedBy = 0
    wants = meters.map { meter in
      Wanted(
        page: meter.page, wanted: meter.use.bounds[0..<meter.use.bounds.count],
        available: meter.available, budget: meter.use.budget, closedUntil: meter.closedUntil)
    }
  }
}
