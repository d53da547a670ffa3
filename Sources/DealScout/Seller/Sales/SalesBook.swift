import JSONText
import Synchronization
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

/// The sales of all accounts' own, sealed with their data keys: many together in one of 256 entries of an account, so
/// that a file of thousands takes a few hundred commits, each of which holds whole sales.
struct SalesBook: Sendable {
  /// Of one entry; of an account there can be some 256 times as many.
  static let mostTogether = 1_000
  private static let idDigits = 20

  /// What became of the sales of a file.
  struct Tally: Hashable, Sendable {
    var added = 0
    var replaced = 0
    var unchanged = 0
    /// For which there was no room.
    var refused = 0

    static func += (sum: inout Tally, more: Tally) {
      sum.added += more.added
      sum.replaced += more.replaced
      sum.unchanged += more.unchanged
      sum.refused += more.refused
    }
  }

  let gateway: Gateway

  /// Where a sale is kept: by the first two digits of its id.
  private func resource(_ id: String, of account: String) -> ResourceKey {
    ResourceKey(account: account, kind: SellerKinds.sales, path: String(id.prefix(2)))
  }

  private static func isID(_ text: String) -> Bool {
    text.utf8.count == idDigits
      && text.utf8.allSatisfy { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 }
  }

  /// A digest of the order's number and the line, with a key of the account: it tells neither.
  private func id(_ sale: SoldItem, of account: String) throws(AccountRefusal) -> String {
    let text = Array("sale\n\(sale.line)\n\(sale.order)".utf8)
    return String(try gateway.dataKeys.digest(text, of: account).prefix(Self.idDigits))
  }

  /// Keeps sales. One of the same order and line is replaced if it says something else.
  ///
  /// What was kept before an error stays; the same file can be sent again.
  func add(_ sales: [SoldItem], of account: String) async throws -> Tally {
    var groups: [String: [SoldItem]] = [:]
    for var sale in sales {
      sale.id = try id(sale, of: account)
      groups[String(sale.id.prefix(2)), default: []].append(sale)
    }
    var tally = Tally()
    for (_, group) in groups.sorted(by: { $0.key < $1.key }) {
      guard let first = group.first else { continue }
      let counts = Mutex(Tally())
      _ = try await gateway.rekeep(resource(first.id, of: account)) { old in
        var kept = old.map(Self.read) ?? []
        let tally = Self.merge(group, into: &kept)
        counts.withLock { $0 = tally }
        if tally.added + tally.replaced == 0, let old { return old }
        return Self.bytes(kept)
      }
      tally += counts.withLock { $0 }
    }
    return tally
  }

  private static func merge(_ sales: [SoldItem], into kept: inout [SoldItem]) -> Tally {
    var tally = Tally()
    var places = Dictionary(kept.enumerated().map { ($1.id, $0) }) { first, _ in first }
    for sale in sales {
      if let place = places[sale.id] {
        if kept[place] == sale {
          tally.unchanged += 1
        } else {
          kept[place] = sale
          tally.replaced += 1
        }
      } else if kept.count < mostTogether {
        places[sale.id] = kept.count
        kept.append(sale)
        tally.added += 1
      } else {
        tally.refused += 1
      }
    }
    return tally
  }

  /// Those of an account, the newest first.
  func sales(of account: String) throws(LogError) -> [SoldItem] {
    var sales: [SoldItem] = []
    let prefix = "account/\(account)/\(SellerKinds.sales)/"
    for entry in try gateway.kept(under: prefix, atMost: 256) {
      if let content = try gateway.content(of: entry) { sales += Self.read(content) }
    }
    return sales.sorted { ($1.soldOn, $0.id) < ($0.soldOn, $1.id) }
  }

  /// - Returns: whether there was one.
  func remove(_ id: String, of account: String) async throws -> Bool {
    guard Self.isID(id) else { return false }
    let resource = resource(id, of: account)
    guard try gateway.kept(resource) != nil else { return false }
    let wasThere = Mutex(false)
    _ = try await gateway.rekeep(resource) { old in
      var kept = old.map(Self.read) ?? []
      let before = kept.count
      kept.removeAll { $0.id == id }
      let isFewer = kept.count < before
      wasThere.withLock { $0 = isFewer }
      if !isFewer, let old { return old }
      return Self.bytes(kept)
    }
    return wasThere.withLock { $0 }
  }

  // MARK: As they are kept

  private static func bytes(_ sales: [SoldItem]) -> [UInt8] {
    var json = JSONWriter(capacity: 256 * (sales.count + 1))
    json.array(sales) { json, sale in
      json.object { json in sale.writeMembers(to: &json) }
    }
    return json.bytes
  }

  private static func read(_ bytes: [UInt8]) -> [SoldItem] {
    let root = try? JSONDocument(
      bytes, maximumDepth: 4, maximumValues: 32 * (mostTogether + 1)
    ).root
    return root?.array?.compactMap { SoldItem(kept: $0) } ?? []
  }
}
