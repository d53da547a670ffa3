import JSONText
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

/// The drafts of all accounts: each an entry, sealed with its account's data key.
struct DraftBook: Sendable {
  static let mostOfAccount = 5_000
  private static let idDigits = 20

  let gateway: Gateway

  /// How a draft is told from another one.
  enum Distinction {
    /// By what the client calls the request: a repeat is the same draft.
    case key(String)
    /// By the snap that it comes from: a page makes one of each.
    case snap(Position)
    /// By what it says, and the day on which it says that.
    case content(CalendarDay)
  }

  private func resource(_ id: String, of account: String) -> ResourceKey {
    ResourceKey(account: account, kind: SellerKinds.draft, path: id)
  }

  private static func isID(_ text: String) -> Bool {
    text.utf8.count == idDigits
      && text.utf8.allSatisfy { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 }
  }

  /// A digest that tells nothing of the draft.
  private func id(
    _ content: DraftContent, _ distinction: Distinction, of account: String
  ) throws(AccountRefusal) -> String {
    let text =
      switch distinction {
      case .key(let key): "key\n\(key)"
      case .snap(let number): "snap\n\(number)"
      case .content(let day):
        "content\n\(day)\n\(String(decoding: content.bytes, as: UTF8.self))"
      }
    return String(
      try gateway.dataKeys.digest(Array(text.utf8), of: account).prefix(Self.idDigits))
  }

  /// Keeps a new draft.
  ///
  /// - Returns: the draft, and whether it is new; if not, it is the one that is there.
  func add(
    _ content: DraftContent, _ distinction: Distinction, of account: String
  ) async throws -> (draft: Draft, isNew: Bool) {
    let draft = Draft(
      content, id: try id(content, distinction, of: account), of: account,
      created: gateway.log.time.now())
    let isNew = try await gateway.keep(
      draft.bytes, as: resource(draft.id, of: account), if: .isNew)
    return (try isNew ? draft : self.draft(draft.id, of: account) ?? draft, isNew)
  }

  /// Those of an account, the newest first.
  func drafts(of account: String) throws(LogError) -> [Draft] {
    var drafts: [Draft] = []
    let prefix = "account/\(account)/\(SellerKinds.draft)/"
    for entry in try gateway.kept(under: prefix, atMost: Self.mostOfAccount) {
      guard let content = try gateway.content(of: entry),
        let draft = Draft(content, id: String(entry.resource.path), of: account)
      else { continue }
      drafts.append(draft)
    }
    return drafts.sorted { ($1.created, $0.id) < ($0.created, $1.id) }
  }

  func draft(_ id: String, of account: String) throws(LogError) -> Draft? {
    guard Self.isID(id) else { return nil }
    return try gateway.keptContent(resource(id, of: account)).flatMap {
      Draft($0, id: id, of: account)
    }
  }

  /// - Returns: whether there was one.
  func remove(_ id: String, of account: String) async throws(LogError) -> Bool {
    guard Self.isID(id) else { return false }
    return try await gateway.removeKept(resource(id, of: account))
  }

  /// Notes sales of a draft, each once, and no more than there were to sell.
  ///
  /// - Returns: whether the draft is there.
  func note(_ sales: [SoldItem], of id: String, of account: String) async throws -> Bool {
    do {
      _ = try await gateway.rekeep(resource(id, of: account)) { old in
        guard let old, var draft = Draft(old, id: id, of: account) else { throw Gone() }
        for sale in sales where !draft.sales.contains(sale.id) && draft.left > 0 {
          draft.sales.append(sale.id)
          draft.soldOn = max(draft.soldOn ?? sale.soldOn, sale.soldOn)
        }
        return draft.bytes
      }
      return true
    } catch is Gone { return false }
  }

  /// It was deleted meanwhile.
  private struct Gone: Error {}
}

extension DraftContent {
  /// As it is written, the same for the same content.
  fileprivate var bytes: [UInt8] {
    var json = JSONWriter(capacity: 2_048)
    json.value(self)
    return json.bytes
  }
}
