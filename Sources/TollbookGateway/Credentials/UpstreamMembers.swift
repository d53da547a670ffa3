import Synchronization
import TollbookUpstreams

/// The credentials that an upstream can be bought from with in this process: those of the settings, and behind them those
/// that were put in while it ran or before.
final class UpstreamMembers: Sendable {
  /// The upstream as it was registered, with the credentials of the settings.
  private let base: SimulatorGuard
  private let own: [CredentialMember]
  private let added = Mutex<[CredentialMember]>([])

  init(_ base: SimulatorGuard) {
    self.base = base
    own = base.credentials.map { CredentialMember(id: $0, upstream: base) }
  }

  /// Those of the settings first.
  var all: [CredentialMember] { own + added.withLock { $0 } }

  /// The upstreams behind them, each once.
  var upstreams: [any Upstream] { all.upstreams }

  /// Sets which were put in, in the order in which that was done. One that is in the settings too is there once.
  ///
  /// - Returns: those that the upstream cannot be bought from with.
  @discardableResult
  func set(_ leases: [CredentialLease]) -> [String] {
    var refused: [String] = []
    added.withLock { added in
      added = leases.compactMap { lease in
        guard !own.contains(where: { $0.id == lease.id }) else { return nil }
        // The same connections, and what was learned of its answers, go on.
        if let known = added.first(where: { $0.id == lease.id }) { return known }
        guard let upstream = base.with(lease) else {
          refused.append(lease.id)
          return nil
        }
        return CredentialMember(id: lease.id, upstream: upstream)
      }
    }
    return refused
  }

  /// What a call is sent to that a credential sends; nil: it is not there any more.
  func upstream(of credential: String) -> (any Upstream)? {
    all.first { $0.id == credential }?.upstream
  }
}
