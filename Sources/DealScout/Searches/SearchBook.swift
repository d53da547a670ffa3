import TollbookEvents
import TollbookGateway
import TollbookLog

/// The saved searches of all accounts, as entries that nobody sells: one for each search, sealed with its account's data
/// key.
struct SearchBook: Sendable {
  static let kind = "ebay.savedSearch"
  /// Of one account. All of them share the calls of a day.
  static let mostOfAccount = 200
  /// Of all accounts together.
  static let most = 2_000

  let gateway: Gateway

  private func resource(_ id: String, of account: String) -> ResourceKey {
    ResourceKey(account: account, kind: Self.kind, path: id)
  }

  private func prefix(of account: String) -> String { "account/\(account)/\(Self.kind)/" }

  /// Those of an account, in the order of their ids. One whose key is gone is left out.
  func searches(of account: String) throws(LogError) -> [SavedSearch] {
    var searches: [SavedSearch] = []
    for entry in try gateway.kept(under: prefix(of: account), atMost: Self.mostOfAccount) {
      guard let content = try gateway.content(of: entry) else { continue }
      if let search = SavedSearch(content, of: account) { searches.append(search) }
    }
    return searches
  }

  /// Those of all accounts, account after account.
  func all() throws(LogError) -> [SavedSearch] {
    var searches: [SavedSearch] = []
    for account in try gateway.openAccounts(keeping: [Self.kind]) {
      searches += try self.searches(of: account)
      guard searches.count < Self.most else { break }
    }
    return Array(searches.prefix(Self.most))
  }

  func search(_ id: String, of account: String) throws(LogError) -> SavedSearch? {
    try gateway.keptContent(resource(id, of: account)).flatMap {
      SavedSearch($0, of: account)
    }
  }

  /// - Returns: false: there is one of that id already.
  func add(_ search: SavedSearch) async throws(PurchaseProblem) -> Bool {
    try await gateway.keep(
      search.bytes, as: resource(search.id, of: search.account), if: .isNew)
  }

  /// - Returns: whether there was one.
  func remove(_ id: String, of account: String) async throws(LogError) -> Bool {
    try await gateway.removeKept(resource(id, of: account))
  }
}
