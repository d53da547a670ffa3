import JSONText
import TollbookEvents
import TollbookGateway
import TollbookLog

/// What accounts watch: one entry for each account, sealed with its data key.
struct WatchBook: Sendable {
  static let kind = "ebay.watches"
  /// Of one account. All of them share the calls that look after them.
  static let mostOfAccount = 500

  /// Why a watch is not taken.
  enum Refusal: Error, Hashable, Sendable { case full, isThere }

  /// The watches of an account, in the order in which they were made.
  struct Watches: Hashable, Sendable {
    private(set) var rows: [Watch] = []

    init() {}

    mutating func add(_ watch: Watch) throws(Refusal) {
      guard !rows.contains(where: { $0.id == watch.id }) else { throw .isThere }
      guard rows.count < WatchBook.mostOfAccount else { throw .full }
      rows.append(watch)
    }

    /// - Returns: whether there was one.
    mutating func remove(_ id: EbayItemID) -> Bool {
      let count = rows.count
      rows.removeAll { $0.id == id }
      return rows.count < count
    }

    /// Facts were told: they are no news any more.
    mutating func note(_ facts: [NotificationFact]) {
      for fact in facts {
        guard let place = rows.firstIndex(where: { $0.id.description == fact.subject }) else {
          continue
        }
        switch fact.detail {
        case .ended: rows[place].isEndTold = true
        case .drop(_, let price):
          guard let told = EbayMoney(price) else { continue }
          // What was told meanwhile of a lower price stays.
          if let known = rows[place].told, known.currency == told.currency,
            known.minorUnits <= told.minorUnits
          {
            continue
          }
          rows[place].told = told
        case .deal, .share, .alert: continue
        }
      }
    }

    /// As they are kept.
    var bytes: [UInt8] {
      var json = JSONWriter(capacity: 128 * (rows.count + 1))
      json.object { json in
        json.array("watches", rows) { json, watch in
          json.object { json in watch.keep(in: &json) }
        }
      }
      return json.bytes
    }

    /// What cannot be read is none.
    init(_ bytes: [UInt8]) {
      guard let root = try? JSONDocument(bytes, maximumDepth: 6, maximumValues: 20_000).root,
        let kept = root["watches"]?.array
      else { return }
      rows = kept.prefix(WatchBook.mostOfAccount).compactMap { Watch(kept: $0) }
    }
  }

  let gateway: Gateway

  private func resource(_ account: String) -> ResourceKey {
    ResourceKey(account: account, kind: Self.kind, path: "listings")
  }

  func watches(of account: String) throws(LogError) -> Watches {
    try gateway.keptContent(resource(account)).map { Watches($0) } ?? Watches()
  }

  /// The accounts that are open and watch something.
  func accounts() throws(LogError) -> [String] { try gateway.openAccounts(keeping: [Self.kind]) }

  /// Whether anybody watches anything.
  func isUsed() throws(LogError) -> Bool { try !accounts().isEmpty }

  /// - Throws: a ``Refusal``, or why it cannot be kept.
  func add(_ watch: Watch, of account: String) async throws {
    _ = try await gateway.rekeep(resource(account)) { bytes in
      var watches = bytes.map { Watches($0) } ?? Watches()
      try watches.add(watch)
      return watches.bytes
    }
  }

  /// - Returns: whether there was one.
  func remove(_ id: EbayItemID, of account: String) async throws -> Bool {
    guard try watches(of: account).rows.contains(where: { $0.id == id }) else { return false }
    _ = try await gateway.rekeep(resource(account)) { bytes in
      var watches = bytes.map { Watches($0) } ?? Watches()
      _ = watches.remove(id)
      return watches.bytes
    }
    return true
  }

  /// Facts were told to an account: they are no news any more.
  func noteTold(_ facts: [NotificationFact], to account: String) async throws {
    guard !facts.isEmpty else { return }
    _ = try await gateway.rekeep(resource(account)) { bytes in
      var watches = bytes.map { Watches($0) } ?? Watches()
      watches.note(facts)
      return watches.bytes
    }
  }
}
