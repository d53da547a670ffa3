extension Selection {
  /// As people and the HTTP API write it, such as `most_remaining`.
  package var name: String {
    switch self {
    case .weighted: "weighted"
    case .mostRemaining: "most_remaining"
    case .leastRecentlyLimited: "least_recently_limited"
    case .failover: "failover"
    case .random, .UNRECOGNIZED: "random"
    }
  }

  package init?(name: String) {
    guard let selection = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = selection
  }
}
