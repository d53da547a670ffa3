import TollbookEvents

extension ImpossibleEvent {
  /// A credential that is there and one that was removed.
  static let credentialsBefore: [Event] = [
    .credentialSet(make { $0.credential = "atlas:1" }),
    .credentialSet(make { $0.credential = "atlas:2" }),
    .credentialRemoved(make { $0.credential = "atlas:2" }),
  ]

  static let credentials = [
    ImpossibleEvent("a credential without an id", .credentialSet(CredentialSet())),
    .init(
      "a credential that cannot be a key",
      .credentialSet(make { $0.credential = String(repeating: "a", count: 512) })),
    .init(
      "a credential whose id hides another",
      .credentialSet(make { $0.credential = "atlas:1\u{0}atlas:2" })),
    .init("a credential that is not there", .credentialRemoved(make { $0.credential = "none" })),
    .init(
      "a credential that was removed before", .credentialRemoved(make { $0.credential = "atlas:2" })
    ),
    .init("what cools without a name", .credentialCooled(CredentialCooled())),
    .init(
      "a pool whose upstream hides an account",
      .poolSet(make { ($0.upstream, $0.account) = ("atlas\u{0}acme", "x") })),
    .init(
      "a pool that cannot be a key",
      .poolSet(make { ($0.upstream, $0.account) = ("atlas", String(repeating: "a", count: 511)) })),
  ]
}

extension CredentialSet: EmptyMessage {}
extension CredentialRemoved: EmptyMessage {}
extension CredentialCooled: EmptyMessage {}
extension PoolSet: EmptyMessage {}
