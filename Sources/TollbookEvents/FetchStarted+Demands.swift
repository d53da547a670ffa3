// What a call was asked for, whichever format its events are of.

extension FetchStarted {
  /// Who asked; in format 1 one request did.
  package var allDemands: [Demand] {
    guard demands.isEmpty else { return demands }
    var demand = Demand()
    demand.account = account
    demand.contentSet = contentSet
    if hasMaxAgeSeconds { demand.maxAgeSeconds = maxAgeSeconds }
    demand.refresh = behind ? .grace : .none
    demand.askedMs = askedMs
    return [demand]
  }

  /// Whether all of it is bought before anybody needs it.
  package var isAhead: Bool { !demands.isEmpty && demands.allSatisfy { $0.refresh == .ahead } }

  /// The number of a resource's demand among all demands.
  package func demand(ofResource index: Int) -> Int {
    index < demandOf.count ? Int(demandOf[index]) : 0
  }

  /// Who pays how much of it, by kind. Format 1 tells the account alone.
  package var payers: [Payer] {
    guard !demands.isEmpty else { return [Payer(account: account)] }
    guard !resources.isEmpty else { return demands.prefix(1).map { Payer($0, kind: "") } }
    var payers: [(demand: Int, payer: Payer)] = []
    var kinds = KindReader()
    for (index, resource) in resources.enumerated() {
      let number = demand(ofResource: index)
      let kind = kinds.kind(of: resource)
      let weight = index < weights.count ? max(0, weights[index]) : 1
      if let place = payers.firstIndex(where: { $0.demand == number && $0.payer.kind == kind }) {
        payers[place].payer.weight &+= weight
      } else if number < demands.count {
        var payer = Payer(demands[number], kind: kind)
        payer.weight = weight
        payers.append((number, payer))
      }
    }
    return payers.map(\.payer)
  }
}

extension SpendRefused {
  /// Who asked.
  package var anyDemand: Demand {
    guard !hasDemand else { return demand }
    var demand = Demand()
    demand.account = account
    demand.contentSet = contentSet
    if hasMaxAgeSeconds { demand.maxAgeSeconds = maxAgeSeconds }
    demand.refresh = behind ? .grace : .none
    demand.askedMs = askedMs
    return demand
  }

  /// What was wanted of the meter that said no.
  package var refusingWant: Want {
    guard wants.isEmpty else { return wants[min(Int(refusedBy), wants.count - 1)] }
    var want = Want()
    want.meter = MeterName(quotaGroup: credential, unit: unit)
    want.wanted = wanted
    want.available = available
    want.retryMs = retryMs
    return want
  }
}

extension Demand {
  /// Whether nobody waits for it.
  package var isBehind: Bool { refresh != .none }
}

extension Payer {
  package init(account: String, tags: [String] = [], kind: String = "", weight: Int64 = 1) {
    self.init()
    self.account = account
    self.tags = tags
    self.kind = kind
    self.weight = weight
  }

  fileprivate init(_ demand: Demand, kind: String) {
    self.init(account: demand.account, tags: demand.tags, kind: kind)
  }
}
