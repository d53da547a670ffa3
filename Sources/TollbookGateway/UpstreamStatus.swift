package import TollbookEvents

/// How an upstream stands.
package struct UpstreamStatus: Sendable, Hashable {
  /// The raw values are part of the HTTP API.
  package enum State: String, Sendable {
    /// No credential is set.
    case notConfigured = "not_configured"
    /// Nothing was heard yet.
    case unknown
    case ready
    case keyRejected = "key_rejected"
    /// The last call got no usable answer.
    case unreachable
    /// Too many calls in a row got none: it is left alone for a while.
    case paused
    /// By its own word it takes no calls for now.
    case limited
    /// A simulator answers in its place, and the log holds real data. Nothing is taken from it.
    case simulator
  }

  /// As it stands in events, in lower case.
  package var name: String
  package var isConfigured: Bool
  package var state: State
  /// Whether its last answer said that a simulator gave it; nil: it has not answered yet.
  package var isSimulated: Bool?
  /// What the upstream said last, where it is not ready; never a secret.
  package var detail: String
  package var credential: String?
  /// When it is asked again, if it is left alone.
  package var pausedUntil: Timestamp?

  /// Resources that wait for their turn to be bought.
  package var waiting = 0

  package init(
    _ name: String, isConfigured: Bool, state: State, detail: String = "",
    credential: String? = nil
  ) {
    self.name = name
    self.isConfigured = isConfigured
    self.state = state
    self.detail = detail
    self.credential = credential
  }
}

/// An upstream that may be configured, and what is missing if it is not.
package struct RegisteredUpstream: Sendable {
  package var name: String
  /// Nil: no credential is set.
  package var upstream: (any Upstream)?
  /// What to do about that, such as which setting to set.
  package var absence: String
  /// The jobs that it has for long lists.
  package var jobKinds: [PurchaseJobKind]
  /// What its calls may bring, configured or not.
  package var kinds: [ResourceKind]
  /// In what its calls are paid, configured or not.
  package var units: [String]
  /// What of accounts it keeps in files beside the log; nil: nothing.
  package var files: AccountFiles?

  /// - Parameters:
  ///   - kinds: nil: those of the upstream.
  ///   - units: nil: those of its meters.
  package init(
    _ name: String, _ upstream: (any Upstream)?, absence: String,
    jobKinds: [PurchaseJobKind] = [], kinds: [ResourceKind]? = nil, units: [String]? = nil,
    files: AccountFiles? = nil
  ) {
    self.name = name
    self.files = files
    self.upstream = upstream
    self.absence = absence
    self.jobKinds = jobKinds
    self.kinds = kinds ?? upstream?.kinds ?? []
    self.units = units ?? upstream?.meters.map(\.key.unit) ?? []
  }
}
