import TollbookEvents
import TollbookUpstreams
import TollbookViews

/// One attempt of a call that is admitted and under way: what its end is booked with.
struct Attempt: Sendable {
  /// Position of the `FetchStarted`; 0: it is not written yet, and is booked with the answer.
  var fetch: Position
  var number: UInt32
  /// The one that sends it.
  var credential: String
  var call: PlannedCall
  /// What is reserved for it on each meter, in the window of that time.
  var moves: [Move]
  /// Who asked; each pays for its own needs.
  var demands: [Demand]
  /// Of each need the number of its demand.
  var demandOf: [Int]
  /// The needs that a fresh entry would have answered when the call began.
  var duplicates: Set<Int>
  /// When it was sent, by our clock.
  var sent = Timestamp(milliseconds: 0)
  /// The pages of its meters as they stood then.
  var pages: [MeterKey: Meter] = [:]

  /// What became of a need.
  struct Result {
    var use: Use
    /// Position of the `CacheWritten` that it brought; 0: none.
    var written: Position
  }

  /// - Parameter duplicates: places of the batch.
  init(
    fetch: Position, credential: String, call: PlannedCall, moves: [Move],
    _ batch: PurchaseQueue.Batch, duplicates: Set<Int>
  ) {
    self.fetch = fetch
    number = 1
    self.credential = credential
    self.call = call
    self.moves = moves
    var askers: [Int] = []
    demandOf = call.places.map { place in
      let asker = batch.askerOf[place]
      if let known = askers.firstIndex(of: asker) { return known }
      askers.append(asker)
      return askers.count - 1
    }
    demands = askers.map { batch.askers[$0].demand }
    self.duplicates = Set(call.places.indices.filter { duplicates.contains(call.places[$0]) })
  }

  /// The same, before it is in the log. Its commit comes with the answer: so its demands tell when it was decided.
  func unwritten(decided now: Timestamp) -> Attempt {
    var attempt = self
    attempt.fetch = 0
    for index in attempt.demands.indices where attempt.demands[index].askedMs == 0 {
      attempt.demands[index].askedMs = now.milliseconds
    }
    return attempt
  }

  var operation: String { call.needs.first?.operation ?? "" }

  /// The resource of each need; the empty one of a call that is passed through.
  var resources: [ResourceKey] {
    call.needs.map { $0.resource ?? ResourceKey(stored: "") }
  }

  /// What each need probably costs on the first meter: by that a cost is divided.
  var weights: [Int64] {
    guard let first = call.uses.first else { return call.needs.map { _ in 1 } }
    return call.needs.indices.map { first.expected[$0..<$0 + 1] }
  }

  /// The most that it may cost on the first meter.
  var bound: Int64 { moves.first?.amount ?? 0 }

  /// Who pays how much of it, by kind.
  var payers: [Payer] { [Payer].counting(resources, of: demands, demandOf, weights: weights) }

  /// A cost divided over the needs.
  func divided(_ cost: Int64) -> [Int64] { allot(cost, over: weights) }

  /// The event with which it begins.
  var started: FetchStarted {
    var event = FetchStarted()
    event.operation = operation
    event.credential = credential
    event.resources = call.needs.compactMap { $0.resource?.description }
    event.contentSet = call.needs.first?.parts ?? 0
    event.demands = demands
    if demands.count > 1 { event.demandOf = demandOf.map { UInt32($0) } }
    let weights = weights
    if weights.contains(where: { $0 != weights.first }) { event.weights = weights }
    event.moves = moves
    return event
  }

  /// The shares of a charge.
  ///
  /// - Parameters:
  ///   - costs: on each meter but those that only limit.
  ///   - results: what became of each need; empty: the attempt brought nothing.
  func shares(of costs: [Int64], _ payers: [Payer], _ results: [Result]) -> [Share] {
    let parts = costs.map(divided)
    return resources.enumerated().map { index, resource in
      let result = index < results.count ? results[index] : Result(use: .failed, written: 0)
      let own = demands[demandOf[index]]
      let payer = payers.firstIndex { $0.isOf(own, kind: resource.kind) }
      var share = Share()
      share.resource = resource.description
      share.amounts = parts.map { $0[index] }
      share.payer = UInt32(payer ?? 0)
      share.use = duplicates.contains(index) ? .duplicate : result.use
      share.written = result.written
      return share
    }
  }
}

extension Payer {
  fileprivate func isOf(_ demand: Demand, kind: String) -> Bool {
    self.kind == kind && account == demand.account && tags == demand.tags
  }
}

extension [Payer] {
  /// Who pays for resources that demands asked for, by their kinds.
  ///
  /// - Parameters:
  ///   - demandOf: of each resource the number of its demand.
  ///   - weights: of each resource; empty: 1.
  static func counting(
    _ resources: [ResourceKey], of demands: [Demand], _ demandOf: [Int], weights: [Int64] = []
  ) -> [Payer] {
    var payers: [Payer] = []
    for (index, resource) in resources.enumerated() {
      let kind = resource.kind
      let demand = demands[demandOf[index]]
      let weight = index < weights.count ? weights[index] : 1
      if let place = payers.firstIndex(where: { $0.isOf(demand, kind: kind) }) {
        payers[place].weight += weight
      } else {
        payers.append(
          Payer(account: demand.account, tags: demand.tags, kind: kind, weight: weight))
      }
    }
    return payers
  }
}

/// The window key of the day of an instant, in UTC. To be told by the wall clock of a decision: the time of a commit stays
/// ahead after a clock was wrong.
func dayWindow(_ time: Timestamp) -> String { "day \(time.day)" }
