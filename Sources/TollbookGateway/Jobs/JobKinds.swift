// What the engine itself does behind what is asked. Of what recurs each second the last end alone is shown.

extension JobKind {
  /// Entries in grace are bought again after they have answered.
  static let refresh = JobKind("refresh", atOnce: 1_000)
  /// Demands whose time is over are answered.
  static let deadlines = JobKind("deadlines", remembered: 0)
  /// Counted reads and refusals are written down, and the space that is left is looked at.
  static let tallies = JobKind("tallies", remembered: 0)
  /// What readers held that have died is let go.
  static let readers = JobKind("readers", remembered: 0)
  /// Entries that stopped being fresh are marked, and what is not kept any longer is removed.
  static let expiry = JobKind("expiry", remembered: 0)
  /// Entries and bodies go to make room.
  static let eviction = JobKind("eviction", remembered: 0)
  /// Files of accounts beside the log go whose time is over.
  static let files = JobKind("files", remembered: 0)
  /// Upstreams are asked for their balance, and doubts end for which there is evidence.
  static let meters = JobKind("meters", remembered: 0)
  /// Alerts are raised and cleared.
  static let alerts = JobKind("alerts", remembered: 0)
  /// Webhooks are told what is due.
  static let deliveries = JobKind("deliveries", remembered: 0)
  /// What upstreams' buckets would lose is spent on entries that will probably be read.
  static let ahead = JobKind("refresh_ahead", remembered: 0)
  /// What is read often and will soon not be fresh is bought again within what upstreams' meters allow.
  static let hot = JobKind("refresh_hot", remembered: 0)
  package static let audit = JobKind("audit")
  package static let rebuild = JobKind("rebuild")
  package static let snapshot = JobKind("snapshot", mostWaiting: 4)
  /// A checkpoint of the log is signed and published.
  package static let checkpoint = JobKind("checkpoint")
}
