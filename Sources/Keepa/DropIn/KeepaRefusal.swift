import TollbookEvents
import TollbookGateway

/// A "no" to a client that speaks Keepa's wire format, in Keepa's own shape: a status and an `error` object (fact sheet,
/// section 3).
struct KeepaRefusal: Error, Hashable {
  let status: Int
  /// The words of Keepa where it has one.
  let type: String
  let message: String

  init(_ status: Int, _ type: String, _ message: String) {
    self.status = status
    self.type = type
    self.message = message
  }

  /// A request that cannot be carried out.
  static func invalid(_ message: String) -> KeepaRefusal {
    KeepaRefusal(400, "invalidParameter", message)
  }

  /// What is kept of something cannot be read. Nothing is bought in its place.
  static func unreadable(_ resource: ResourceKey) -> KeepaRefusal {
    KeepaRefusal(
      503, PurchaseProblem.Reason.storageFailed.rawValue,
      "what is kept of \(resource) cannot be read; nothing was bought in its place")
  }
}
