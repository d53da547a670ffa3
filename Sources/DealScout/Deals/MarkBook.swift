import JSONText
import TollbookEvents
import TollbookGateway
import TollbookLog

/// What accounts have marked: which listings they have seen, saved or hidden. One entry for each account, sealed with its
/// data key.
struct MarkBook: Sendable {
  static let kind = "ebay.marks"
  /// Listings of one account; beyond, those that were marked longest ago are forgotten.
  static let most = 5_000

  /// The marks of listings, the last marked at the end.
  struct Marks: Hashable, Sendable {
    private(set) var rows: [(id: String, marks: Set<DealsPage.Mark>)] = []

    static func == (left: Marks, right: Marks) -> Bool { left.bytes == right.bytes }
    func hash(into hasher: inout Hasher) { hasher.combine(bytes) }

    init() {}

    var byID: [String: Set<DealsPage.Mark>] {
      Dictionary(rows.map { ($0.id, $0.marks) }) { _, last in last }
    }

    mutating func set(_ mark: DealsPage.Mark, _ isSet: Bool, on id: EbayItemID) {
      let name = id.description
      var marks: Set<DealsPage.Mark> = []
      if let index = rows.firstIndex(where: { $0.id == name }) {
        marks = rows.remove(at: index).marks
      }
      if isSet { marks.insert(mark) } else { marks.remove(mark) }
      if !marks.isEmpty { rows.append((name, marks)) }
      if rows.count > MarkBook.most { rows.removeFirst(rows.count - MarkBook.most) }
    }

    /// As they are kept.
    var bytes: [UInt8] {
      var json = JSONWriter(capacity: 64 * (rows.count + 1))
      json.object { json in
        json.array("marks", rows) { json, row in
          json.object { json in
            json.field("id", row.id)
            json.array("marks", row.marks.map(\.rawValue).sorted()) { $0.string($1) }
          }
        }
      }
      return json.bytes
    }

    /// What cannot be read is none.
    init(_ bytes: [UInt8]) {
      guard let root = try? JSONDocument(bytes, maximumDepth: 6, maximumValues: 100_000).root,
        let kept = root["marks"]?.array
      else { return }
      for row in kept {
        guard let id = row["id"]?.string, let names = row["marks"]?.array else { continue }
        let marks = names.compactMap { $0.string.flatMap { DealsPage.Mark(rawValue: $0) } }
        rows.append((id, Set(marks)))
      }
    }
  }

  let gateway: Gateway

  private func resource(_ account: String) -> ResourceKey {
    ResourceKey(account: account, kind: Self.kind, path: "listings")
  }

  func marks(of account: String) throws(LogError) -> Marks {
    try gateway.keptContent(resource(account)).map { Marks($0) } ?? Marks()
  }

  func set(
    _ mark: DealsPage.Mark, _ isSet: Bool, on id: EbayItemID, of account: String
  ) async throws {
    _ = try await gateway.rekeep(resource(account)) { bytes in
      var marks = bytes.map { Marks($0) } ?? Marks()
      marks.set(mark, isSet, on: id)
      return marks.bytes
    }
  }
}
