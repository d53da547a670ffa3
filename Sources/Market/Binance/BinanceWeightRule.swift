import JSONText
import TollbookEvents
import TollbookUpstreams

/// How the weight of one endpoint follows from a request.
enum BinanceWeightRule: Hashable, Sendable {
  case fixed(Int64)
  /// By the rows that are asked for.
  case byLimit([Step])
  /// For one symbol, for a list of them by its length, and for all that there are.
  case bySymbols(one: Int64, list: [Step], all: Int64)
  case perSymbol(Int64, cap: Int64)

  /// A weight up to and including a number; nil: for all numbers above.
  struct Step: Hashable, Sendable {
    let upTo: Int64?
    let weight: Int64
  }

  func weight(of request: BinanceRequest) -> Int64 {
    switch self {
    case .fixed(let weight): return weight
    case .byLimit(let steps): return Self.weight(Int64(request.limit ?? 0), in: steps)
    case .bySymbols(let one, let list, let all):
      switch request.symbols {
      case .none: return all
      case .one: return one
      case .list(let names): return Self.weight(Int64(names.count), in: list)
      }
    case .perSymbol(let weight, let cap):
      guard let count = request.symbolCount else { return cap }
      // Neither is above a million.
      return min(cap, weight * Int64(count))
    }
  }

  /// Of a request for so many symbols by name: one, or a list.
  func weight(ofSymbols count: Int) -> Int64 {
    switch self {
    case .fixed(let weight): weight
    case .byLimit(let steps): Self.weight(0, in: steps)
    case .bySymbols(let one, let list, _):
      count == 1 ? one : Self.weight(Int64(count), in: list)
    case .perSymbol(let weight, let cap):
      // Neither is above a million.
      min(cap, weight * Int64(min(count, BinanceRequest.mostSymbols)))
    }
  }

  /// What is above all steps weighs what the last one does.
  private static func weight(_ count: Int64, in steps: [Step]) -> Int64 {
    let step = steps.first { step in step.upTo.map { count <= $0 } ?? true } ?? steps.last
    return step?.weight ?? 0
  }
}

// MARK: - Reading

extension BinanceWeightRule {
  private static let range: ClosedRange<Int64> = 1...1_000_000

  init(_ json: CheckedJSON, of endpoint: BinanceEndpoint) throws(DataFileError) {
    try json.allow(
      "from", "until", "source", "weight", "by_limit", "one", "by_symbols", "all", "per_symbol",
      "cap")
    _ = try json.member("source").text()
    let forms = ["weight", "by_limit", "by_symbols", "per_symbol"]
      .filter { json.optional($0) != nil }
    guard forms.count == 1, let form = forms.first else {
      throw json.fault(
        .unknown("there must be one of weight, by_limit, by_symbols and per_symbol"))
    }
    func number(_ name: String) throws(DataFileError) -> Int64 {
      try json.member(name).integer(Self.range)
    }
    func refuse(_ names: String...) throws(DataFileError) {
      for name in names where json.optional(name) != nil { throw json.fault(.unknownName(name)) }
    }
    switch form {
    case "by_limit":
      try refuse("one", "all", "cap")
      guard let limits = endpoint.limits else {
        throw json.fault(.unknown("\(endpoint.name) takes no limit"))
      }
      let steps = try Self.steps(try json.member("by_limit"))
      if let last = steps.last?.upTo, last < Int64(limits.most) {
        throw json.fault(.hole("no weight from \(last + 1) to \(limits.most) rows"))
      }
      self = .byLimit(steps)
    case "by_symbols":
      try refuse("cap")
      let steps = try Self.steps(try json.member("by_symbols"))
      if let last = steps.last?.upTo, last < Int64(BinanceRequest.mostSymbols) {
        throw json.fault(.hole("no weight from \(last + 1) symbols"))
      }
      self = .bySymbols(one: try number("one"), list: steps, all: try number("all"))
    case "per_symbol":
      try refuse("one", "all")
      self = .perSymbol(try number("per_symbol"), cap: try number("cap"))
    default:
      try refuse("one", "all", "cap")
      self = .fixed(try number("weight"))
    }
  }

  private static func steps(_ json: CheckedJSON) throws(DataFileError) -> [Step] {
    var steps: [Step] = []
    let elements = try json.elements()
    for (index, element) in elements.enumerated() {
      try element.allow("up_to", "weight")
      let upTo = try element.optional("up_to").map { json throws(DataFileError) in
        try json.integer(range)
      }
      if upTo == nil, index < elements.count - 1 {
        throw element.fault(.overlap("the step before the last has no end"))
      }
      if let upTo, upTo <= steps.last?.upTo ?? 0 { throw element.fault(.notRising) }
      steps.append(Step(upTo: upTo, weight: try element.member("weight").integer(range)))
    }
    return steps
  }
}
