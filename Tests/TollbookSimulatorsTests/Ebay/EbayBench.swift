import Foundation
import JSONText
import Testing

@testable import TollbookSimulators

/// A simulated eBay with a clock that stands still and the questions that tests ask it.
struct EbayBench {
  /// Wednesday, 18 November 2026, 11:06:52.345 UTC: 03:06 in California.
  static let start: Int64 = 1_795_000_012_345
  static let hour: Int64 = 3_600_000
  static let day: Int64 = 86_400_000

  let clock = MovableClock(Self.start)
  let simulator: EbaySimulator

  init(_ change: (inout EbaySimulatorConfiguration) -> Void = { _ in }) {
    var configuration = EbaySimulatorConfiguration()
    configuration.families = 12
    configuration.applications = [
      EbayApplication(acceptURL: "https://tollbook.example/ebay/callback"),
      EbayApplication(clientId: "other-app", clientSecret: "other:cert", ruName: "other-name"),
    ]
    configuration.now = { [clock] in clock.now }
    configuration.sleep = { _ in }
    change(&configuration)
    simulator = EbaySimulator(configuration)
  }

  var market: EbayMarket { simulator.market }
  var family: EbayFamily { market.families[0] }
  /// A search for everything of the first family that can be bought at once.
  var familySearch: String { "q=" + family.words.replacingOccurrences(of: " ", with: "+") }

  func basic(_ index: Int = 0) -> String {
    let application = simulator.configuration.applications[index]
    let text = "\(application.clientId):\(application.clientSecret)"
    return "Basic " + Data(text.utf8).base64EncodedString()
  }

  /// Posts a form to the token endpoint.
  func mint(
    _ form: String, basic: String? = nil, type: String = "application/x-www-form-urlencoded"
  ) async -> EbayReply {
    await simulator.answer(
      method: "POST", path: "/identity/v1/oauth2/token",
      headers: ["authorization": basic ?? self.basic(), "content-type": type],
      body: Array(form.utf8))
  }

  /// A token of an application.
  func token(_ index: Int = 0, scope: String = EbayScopes.application) async throws -> String {
    let form = "grant_type=client_credentials&scope=\(EbayReadingText.encoded(scope))"
    let reply = await mint(form, basic: basic(index))
    #expect(reply.status == 200, "\(reply.text)")
    return try #require(try reply.json()["access_token"]?.string)
  }

  /// Calls a path with its query and a token.
  func call(
    _ pathAndQuery: String, token: String, headers: [String: String] = [:]
  ) async -> EbayReply {
    let halves = pathAndQuery.split(separator: "?", maxSplits: 1).map(String.init)
    return await simulator.answer(
      path: halves[0], query: halves.count == 2 ? halves[1] : "",
      headers: headers.merging(["authorization": "Bearer \(token)"]) { $1 },
      base: "http://127.0.0.1:9003")
  }

  /// Searches with a new token.
  func searching(_ query: String, headers: [String: String] = [:]) async throws -> EbayReply {
    await call(
      "/buy/browse/v1/item_summary/search?\(query)", token: try await token(), headers: headers)
  }

  /// The answer of a search that must succeed.
  func search(_ query: String, headers: [String: String] = [:]) async throws -> JSONValue {
    let reply = try await searching(query, headers: headers)
    #expect(reply.status == 200, "\(query): \(reply.text.prefix(300))")
    return try reply.json()
  }

  /// All pages of a search.
  func everything(_ query: String, headers: [String: String] = [:]) async throws -> [JSONValue] {
    var all: [JSONValue] = []
    for offset in stride(from: 0, to: 10_000, by: 200) {
      let page = try await search("\(query)&limit=200&offset=\(offset)", headers: headers)
      all += page.items
      if page["next"] == nil { break }
    }
    return all
  }

  /// A filter as it stands in a URL.
  static func filter(_ text: String) -> String { "&filter=\(EbayReadingText.encoded(text))" }
}

extension EbayReply {
  var text: String { String(decoding: body, as: UTF8.self) }

  func json() throws -> JSONValue { try JSONDocument(body).root }

  /// The id of the first error.
  var errorId: Int? { (try? json())?["errors"]?[0]?["errorId"]?.int }

  /// The word of an error of OAuth.
  var oauthError: String? { (try? json())?["error"]?.string }
}

extension JSONValue {
  /// The elements of a member that is an array; none if it is not there.
  func elements(_ name: String) -> [JSONValue] {
    self[name].flatMap { $0.array }.map { Array($0) } ?? []
  }

  /// The listings of a page.
  var items: [JSONValue] { elements("itemSummaries") }

  var ids: [String] { items.compactMap { $0["itemId"]?.string } }

  var warningIds: [Int] { elements("warnings").compactMap { $0["errorId"]?.int } }

  /// An amount in hundredths.
  var hundredths: Int64? { self["value"]?.string.flatMap { EbayReadingText.hundredths($0) } }

  /// The words of `buyingOptions`.
  var options: [String] { elements("buyingOptions").compactMap(\.string) }
}
