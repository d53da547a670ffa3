import HTTPTypes
import Testing
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookSimulators
import TollbookTestSupport

@testable import DealScout

extension DealScoutStand {
  /// Saves and scans a search, and tells the listings that it shows, by their ids.
  func scanned(_ client: ScoutCaller, _ number: Int = 0) async throws -> [SeenListing] {
    let words = simulator.familyWords[number]
    if try SearchBook(gateway: gateway).search("search-\(number)", of: "default") == nil {
      #expect(try await client.save("search \(number)", words).status == 201)
    }
    let scan = try await client.send(.post, "/scan/run", #"{"search":"search-\#(number)"}"#)
    #expect(scan.status == 200, "\(scan.text)")
    let shown = Set(try #require(try page(number)).listings.map(\.itemId))
    return scout.index.all.listings.filter { shown.contains($0.id) }
      .sorted { $0.id.description < $1.id.description }
  }

  /// Moves Tollbook's clocks and leaves eBay's where it is: nothing is listed or ends meanwhile.
  func advanceAlone(byMilliseconds delta: Int64) {
    time.advance(byMilliseconds: delta)
    simulator.conditions.clockOffset -= delta
  }

  /// eBay has a listing no more.
  func end(_ id: EbayItemID) { simulator.conditions.endedItems.insert(id.description) }

  /// The page of a search as it is kept; nil: it is not.
  func page(_ number: Int = 0) throws -> EbaySearchPage? {
    guard let search = try SearchBook(gateway: gateway).search("search-\(number)", of: "default"),
      let asked = search.page(0),
      let content = try gateway.keptContent(EbayNeed.search(asked).resource)
    else { return nil }
    return try EbaySearchPage(content)
  }

  /// A listing whose price is in another currency than the site's.
  func foreign(_ client: ScoutCaller) async throws -> EbayListing {
    for number in simulator.familyWords.indices {
      _ = try await scanned(client, number)
      let found = try page(number)?.listings.first {
        $0.currentPrice.map { $0.currency != .dollar } ?? false
      }
      if let found { return found }
    }
    return try #require(nil, "no listing is in another currency")
  }

  /// The bodies that any entry ever named and that are still there, opened as far as they are no secret.
  func bodies() throws -> [String] {
    let (index, reader) = (log.index, log.reader)
    return try log.read { (reading) throws(LogError) in
      var found: [String] = []
      var seen: Set<[UInt8]> = []
      let positions = try index.positions(of: .cacheWritten, after: 0, limit: .max, in: reading)
      for position in positions {
        guard
          case .cacheWritten(let event)? = try reader.event(at: position, in: reading)?.event
        else { continue }
        let digest = Array(event.body)
        guard !digest.isEmpty, seen.insert(digest).inserted,
          let body = try reader.body(digest: digest, in: reading),
          let content = try? body.content()
        else { continue }
        found.append(String(decoding: content, as: UTF8.self))
      }
      return found
    }
  }
}
