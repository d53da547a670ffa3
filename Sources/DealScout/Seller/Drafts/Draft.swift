import JSONText
import TollbookEvents

/// A listing that is prepared, and not published.
struct Draft: Hashable, Sendable {
  let id: String
  let account: String
  let created: Timestamp
  let content: DraftContent
  /// The ids of sales of the account that were of this, in the order in which they were found.
  var sales: [String] = []
  /// The day of the last of them.
  var soldOn: CalendarDay?

  init(_ content: DraftContent, id: String, of account: String, created: Timestamp) {
    self.content = content
    self.id = id
    self.account = account
    self.created = created
  }

  /// How many of it are not sold.
  var left: Int { max(0, content.quantity - sales.count) }
  var isSold: Bool { left == 0 }

  // MARK: As it is kept

  var bytes: [UInt8] {
    var json = JSONWriter(capacity: 2_048)
    json.object { json in
      json.field("created_ms", created.milliseconds)
      json.array("sales", sales)
      json.fieldIfPresent("sold_on", soldOn?.description)
      json.field("content", content)
    }
    return json.bytes
  }

  /// Nil: it cannot be read.
  init?(_ bytes: [UInt8], id: String, of account: String) {
    guard let root = try? JSONDocument(bytes, maximumDepth: 6, maximumValues: 20_000).root,
      let created = root["created_ms"]?.int64,
      let content = root["content"].flatMap({ DraftContent(kept: $0) })
    else { return nil }
    self.init(content, id: id, of: account, created: Timestamp(milliseconds: created))
    sales = root["sales"]?.array?.compactMap(\.string) ?? []
    soldOn = root["sold_on"]?.string.flatMap { CalendarDay($0) }
  }

  // MARK: As it is shown

  /// Why it is not published.
  static let publishing =
    "Tollbook publishes no drafts: export them, and send the file in at eBay"

  func writeMembers(to json: inout JSONWriter) {
    json.field("id", id)
    json.field("account", account)
    json.field("state", isSold ? "sold" : "draft")
    json.field("published", false)
    json.field("publishing", Self.publishing)
    content.writeMembers(to: &json)
    json.array("missing", content.missing)
    json.field("created_at", created.description)
    json.array("sales", sales)
    json.field("sold_on", soldOn?.description)
  }
}
