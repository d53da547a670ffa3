import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

/// The photos of all accounts: a record of each in the log, sealed, and the picture in ``PhotoStore``.
///
/// The record is written first and the picture removed last: of a picture that is there, somebody always knows.
struct PhotoBook: Sendable {
  /// Of one request, one draft and one listing (eBay shows up to 24).
  static let mostTogether = 12
  /// Of one account, those that are deleted among them.
  static let mostOfAccount = 20_000
  /// How long it is known of a deleted picture that it was there, in milliseconds: 365 days.
  private static let remembered: Int64 = 365 * 86_400_000

  let gateway: Gateway
  let store: PhotoStore
  /// How long a picture is kept after it was sent in last, in days.
  let days: Int64

  private func resource(_ digest: String, of account: String) -> ResourceKey {
    ResourceKey(account: account, kind: SellerKinds.photo, path: digest)
  }

  /// All of an account: those that were sent in at the same moment may be more than it may have.
  private func entries(of account: String) throws(LogError) -> [CacheEntry] {
    try gateway.kept(under: "account/\(account)/\(SellerKinds.photo)/", atMost: .max)
  }

  /// What is known of a photo; nil: nothing, or the account's data key is gone.
  func record(_ digest: String, of account: String) throws(LogError) -> PhotoRecord? {
    guard PhotoStore.isDigest(digest) else { return nil }
    return try gateway.keptContent(resource(digest, of: account)).flatMap {
      PhotoRecord($0, digest: digest)
    }
  }

  /// All of an account, in the order of their digests.
  func records(of account: String) throws(LogError) -> [PhotoRecord] {
    var records: [PhotoRecord] = []
    for entry in try entries(of: account) {
      guard let content = try gateway.content(of: entry),
        let record = PhotoRecord(content, digest: String(entry.resource.path))
      else { continue }
      records.append(record)
    }
    return records
  }

  /// Whether an account has room for more photos.
  func hasRoom(for count: Int, of account: String) throws(LogError) -> Bool {
    try entries(of: account).count + count <= Self.mostOfAccount
  }

  /// Keeps a photo. One that is there already begins its time anew.
  func add(_ photo: Photo, of account: String) async throws -> PhotoRecord {
    let digest = try gateway.dataKeys.digest(photo.bytes, of: account)
    let record = PhotoRecord(photo, digest: digest, added: gateway.log.time.now())
    try await gateway.keep(record.content, as: resource(digest, of: account))
    try await store.put(
      photo.bytes, as: digest, word: AccessKey.systemRandom(8).hexadecimal)
    return record
  }

  /// The picture; nil: it is not there, or it is not what was put there.
  func bytes(_ record: PhotoRecord, of account: String) async throws -> [UInt8]? {
    guard record.deleted == nil, let bytes = try await store.bytes(of: record.digest) else {
      return nil
    }
    guard try gateway.dataKeys.digest(bytes, of: account) == record.digest else {
      throw PhotoStore.Fault(
        description: "the file of photo \(record.digest) is not what was written")
    }
    return bytes
  }

  /// Deletes a picture. What is known of it stays, its digest too.
  ///
  /// - Returns: nil: there is no such photo.
  func delete(_ digest: String, of account: String) async throws -> PhotoRecord? {
    guard var record = try record(digest, of: account) else { return nil }
    if record.deleted == nil {
      record.deleted = gateway.log.time.now()
      try await gateway.keep(record.content, as: resource(digest, of: account))
    }
    try await store.remove(digest)
    return record
  }

  /// Deletes the pictures whose time is over, of all accounts, those that should be gone already, and those that no
  /// account knows of, as after a crash. What is known of a picture goes a year after it.
  ///
  /// - Returns: how many were there and are not any more.
  func sweep() async throws -> Int {
    // Files first: of a picture that is there, the record was written before.
    var strangers = try await store.digests()
    var removed = 0
    for account in try gateway.accounts(keeping: [SellerKinds.photo]) {
      try Task.checkCancellation()
      for entry in try entries(of: account) {
        strangers.remove(String(entry.resource.path))
      }
      for var record in try records(of: account) {
        if record.deleted == nil {
          guard record.isOver(afterDays: days, at: gateway.log.time.now()) else { continue }
          record.deleted = gateway.log.time.now()
          try await gateway.keep(record.content, as: resource(record.digest, of: account))
        }
        if try await store.remove(record.digest) { removed += 1 }
        if let deleted = record.deleted,
          gateway.log.time.now() >= deleted.advanced(byMilliseconds: Self.remembered)
        {
          _ = try await gateway.removeKept(resource(record.digest, of: account))
        }
      }
    }
    for digest in strangers where try await store.remove(digest) { removed += 1 }
    return removed
  }

  /// Removes all pictures of an account, also where its data key is gone: the names of its entries tell which these are.
  func removeAll(of account: String) async throws {
    for entry in try entries(of: account) {
      let digest = String(entry.resource.path)
      if PhotoStore.isDigest(digest) { try await store.remove(digest) }
    }
  }
}
