import JSONText
import Testing
import TollbookEvents
import TollbookTestSupport

@testable import DealScout

/// Answers that are spoilt at random: each is read or refused, and whatever is read keeps its promises.
@Suite("spoilt answers of eBay") struct EbayHostileTests {
  /// Bytes that mean something to a reader of JSON or of numbers.
  private static let marks = Array("[]{}\",:-.eE019 \\u\u{0}|v".utf8)

  private static func spoil(_ text: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var bytes = text
    for _ in 0..<random.int(1...3) {
      let place = random.int(0...bytes.count - 1)
      let mark = random.pick(marks)
      switch random.int(0...4) {
      case 0: bytes[place] = mark
      case 1: bytes.insert(mark, at: place)
      case 2 where bytes.count > 1: bytes.remove(at: place)
      case 3: bytes[place] = UInt8(truncatingIfNeeded: random.next())
      default:
        let end = min(bytes.count, place + random.int(1...11))
        bytes.insert(contentsOf: bytes[place..<end], at: random.int(0...bytes.count - 1))
      }
    }
    return bytes
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `a spoilt answer is refused, or what is read of it holds`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let search = try EbaySearch(
      .unitedStates, words: "widget",
      filters: EbayFilters(
        price: EbayPriceRange(minimum: .sample("10"), maximum: .sample("50")),
        conditions: [.used], itemLocationCountry: "US", maxDeliveryCost: .sample("9")))
    for _ in 0..<60 {
      let text = Self.spoil(
        EbaySamples.page([EbaySamples.listing, EbaySamples.listing]), &random)
      if let page = try? EbaySearchPage(text) {
        #expect(page.total >= 0)
        for row in page.rows {
          let listing = row.listing
          #expect(EbayItemID(listing.itemId.description) == listing.itemId)
          #expect(!listing.title.isEmpty && listing.title.unicodeScalars.count <= 201)
          #expect(listing.currentPrice != nil)
          if let total = listing.totalPrice?.minorUnits {
            #expect(total >= listing.currentPrice?.minorUnits ?? .max, "seed \(seed)")
          }
          if search.admits(listing), let price = listing.currentPrice {
            #expect(1_000...5_000 ~= price.minorUnits(in: .dollar) ?? -1, "seed \(seed)")
            #expect(listing.conditionId == 3_000 && listing.shipping != .unknown)
          }
          let again = try EbayListing(JSONDocument(Array(row.raw)).root)
          #expect(again == listing)
          let clean = try #require(EbaySellerNames.removed(from: row.raw))
          #expect(JSONDocument.isObject(clean))
        }
      }
      let answer = EbayAnswer.read(
        status: random.pick([200, 204, 400, 401, 403, 404, 409, 429, 500, 0, -1]), body: text,
        now: Timestamp(milliseconds: 1_790_000_000_000))
      if case .failed(let failure) = answer {
        #expect(failure.message.unicodeScalars.count <= EbayFailure.mostText)
        #expect(!failure.message.isEmpty)
      }
      let limits = Self.spoil(Array(EbayRateLimitsTests.answer.utf8), &random)
      for rate in (try? EbayRateLimits(limits))?.resources.flatMap(\.rates) ?? [] {
        #expect(rate.used >= 0 && rate.remaining >= 0 && rate.timeWindow > 0)
      }
      let token = Self.spoil(Array(EbayOAuthTests.userToken.utf8), &random)
      if let token = try? EbayTokenAnswer(token) {
        #expect(1...604_800 ~= token.expiresIn)
        #expect(!token.authorization.text.contains("\n"))
      }
    }
  }
}

extension JSONDocument {
  fileprivate static func isObject(_ bytes: [UInt8]) -> Bool {
    (try? JSONDocument(bytes))?.root.kind == .object
  }
}
