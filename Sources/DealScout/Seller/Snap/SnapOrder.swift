import JSONText
import TollbookEvents
import TollbookGateway
import TollbookLog

/// What a job of photos is to do: what the log keeps of it, and what is kept sealed beside it.
///
/// The event of the job holds numbers and a word of chance. The digests of the photos, the marketplace and the seller's
/// note are an entry of its own, sealed with the account's data key, that goes with the end of the job.
struct SnapOrder: Sendable {
  /// The kind of its jobs.
  static let job = "ebay.snap"
  /// Jobs that may be open, of all accounts and of one.
  static let mostOpen = 100
  static let mostOfAccount = 20
  /// How long a job goes on waiting, from when it was taken on, in milliseconds: a day.
  static let patience: Int64 = 86_400_000

  /// Who pays.
  let account: String
  /// Names its entry. Nobody can guess it, and no other order has it.
  let token: String
  /// The name of the model that looks.
  let model: String
  /// The most that the job may cost, in tokens; nil: no limit of its own.
  let maximumTokens: Int64?
  /// How old an answer may be, in milliseconds; nil: what its windows say.
  let fresh: Int64?

  init(of account: String, model: String, maximumTokens: Int64?, fresh: Int64?) {
    self.account = account
    token = AccessKey.systemRandom(16).hexadecimal
    self.model = model
    self.maximumTokens = maximumTokens
    self.fresh = fresh
  }

  // MARK: In the log

  /// What the event holds.
  var bytes: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.field("token", token)
      json.field("model", model)
      json.fieldIfPresent("max_tokens", maximumTokens)
      json.fieldIfPresent("fresh_ms", fresh)
    }
    return json.bytes
  }

  /// As it stands in the log; nil: it cannot be read.
  init?(_ bytes: [UInt8], of account: String) {
    guard let root = try? JSONDocument(bytes, maximumDepth: 4, maximumValues: 40).root,
      let token = root["token"]?.string, !token.isEmpty, !token.contains("/"),
      let model = root["model"]?.string
    else { return nil }
    self.account = account
    self.token = token
    self.model = model
    maximumTokens = root["max_tokens"]?.int64
    fresh = root["fresh_ms"]?.int64
  }

  // MARK: Its entries

  /// What the name of its entry begins with.
  var prefix: String { "account/\(account)/\(SellerKinds.snapOrder)/\(token)/" }

  private var resource: ResourceKey {
    ResourceKey(account: account, kind: SellerKinds.snapOrder, path: "\(token)/order")
  }

  /// Where the result of a job is kept.
  static func result(_ number: Position, of account: String) -> ResourceKey {
    ResourceKey(account: account, kind: SellerKinds.snap, path: "\(number)")
  }

  func keep(_ subject: SnapSubject, in gateway: Gateway) async throws(PurchaseProblem) {
    try await gateway.keep(subject.bytes, as: resource)
  }

  /// Nil: it is not kept any more.
  func subject(in gateway: Gateway) throws(LogError) -> SnapSubject? {
    try gateway.keptContent(resource).flatMap { SnapSubject($0) }
  }
}

/// What a job looks at.
struct SnapSubject: Hashable, Sendable {
  /// The digests of its photos, in the order in which they were sent, none twice.
  let photos: [String]
  let marketplace: EbayMarketplace
  /// What the seller says of it.
  let note: String?

  init(photos: [String], marketplace: EbayMarketplace, note: String?) {
    self.photos = photos
    self.marketplace = marketplace
    self.note = note
  }

  var bytes: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.array("photos", photos)
      json.field("marketplace", marketplace.id)
      json.fieldIfPresent("note", note)
    }
    return json.bytes
  }

  /// Nil: it cannot be read.
  init?(_ bytes: [UInt8]) {
    guard let root = try? JSONDocument(bytes, maximumDepth: 4, maximumValues: 100).root else {
      return nil
    }
    self.init(root)
  }

  init?(_ root: JSONValue) {
    let photos = root["photos"]?.array?.compactMap(\.string) ?? []
    guard 1...PhotoBook.mostTogether ~= photos.count, photos.allSatisfy(PhotoStore.isDigest),
      let marketplace = root["marketplace"]?.string.flatMap({ EbayMarketplace(rawValue: $0) })
    else { return nil }
    self.init(photos: photos, marketplace: marketplace, note: root["note"]?.string)
  }
}
