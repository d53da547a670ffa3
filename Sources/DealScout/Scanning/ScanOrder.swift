import JSONText

/// What a job that scans was told to do, as the log keeps it.
struct ScanOrder: Hashable, Sendable {
  /// The kind of its jobs.
  static let job = "ebay.scan"
  /// Jobs that may be open, of all accounts and of one.
  static let mostOpen = 100
  static let mostOfAccount = 20

  /// One search and how much of it is read.
  struct Part: Hashable, Sendable {
    var account: String
    var search: String
    /// Pages at most.
    var pages: Int
  }

  enum Purpose: String, Sendable {
    /// What has come or gone.
    case scan
    /// What listings are compared with.
    case comparables
  }

  var purpose: Purpose
  var parts: [Part]

  init(_ purpose: Purpose, _ parts: [Part]) {
    self.purpose = purpose
    self.parts = parts
  }

  var bytes: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.field("purpose", purpose.rawValue)
      json.array("searches", parts) { json, part in
        json.object { json in
          json.field("account", part.account)
          json.field("search", part.search)
          json.field("pages", part.pages)
        }
      }
    }
    return json.bytes
  }

  /// Nil: it cannot be read.
  init?(_ bytes: [UInt8]) {
    guard let root = try? JSONDocument(bytes, maximumDepth: 4, maximumValues: 20_000).root,
      let purpose = root["purpose"]?.string.flatMap({ Purpose(rawValue: $0) }),
      let rows = root["searches"]?.array
    else { return nil }
    parts = rows.compactMap { row in
      guard let account = row["account"]?.string, let search = row["search"]?.string,
        let pages = row["pages"]?.int, 1...SavedSearch.mostPages ~= pages
      else { return nil }
      return Part(account: account, search: search, pages: pages)
    }
    guard !parts.isEmpty, parts.count == rows.count else { return nil }
    self.purpose = purpose
  }
}
