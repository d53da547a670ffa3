import Algorithms
import TollbookEvents
import TollbookGateway
import TollbookUpstreams

/// What a client of Keepa's wire format asks of `/product` (fact sheet, section 5).
struct ProductQuery: Sendable {
  /// Most ASINs or codes in one call.
  static let most = 100
  /// How many products a code may bring where the client does not say: without a limit a single code has cost 1,500
  /// tokens.
  static let codeLimit = 20

  let domain: KeepaDomain
  /// Those that can be one, each once, in their order.
  let asins: [KeepaASIN]
  let codes: [String]
  let codeLimit: Int
  let contentSet: ContentSet
  /// `update`: nil if it is left out.
  let updateHours: Int?
  let view: ProductView
  /// Parameters that nobody knows: they go on to Keepa, and the answer is not kept.
  let unknown: [(name: String, value: String)]
  /// All of them as they came, but for the key.
  let items: [(name: String, value: String)]

  private static let known: Set<String> = [
    "domain", "asin", "code", "stats", "update", "history", "days", "offers", "only-live-offers",
    "stock", "rating", "buybox", "videos", "aplus", "historical-variations", "rental",
    "code-limit", "fbafees",
  ]

  init(_ all: [(name: String, value: String)]) throws(KeepaRefusal) {
    items = all.filter { $0.name != "key" }
    var given: [String: String] = [:]
    for (name, value) in items where given.updateValue(value, forKey: name) != nil {
      throw .invalid("\(name.inOneLine(atMost: 50)) stands twice")
    }
    guard let text = given["domain"] else { throw .invalid("domain is missing") }
    guard let domain = Int(text).flatMap(KeepaDomain.init) else {
      throw .invalid("domain is \(text.inOneLine(atMost: 50)), which Keepa does not have")
    }
    self.domain = domain
    unknown = items.filter { !Self.known.contains($0.name) }
    let flags = Flags(given)
    let names = Self.list(given["asin"])
    let codes = Self.list(given["code"])
    guard names.isEmpty || codes.isEmpty else {
      throw .invalid("asin and code are both given; send one of them")
    }
    guard !names.isEmpty || !codes.isEmpty else { throw .invalid("asin or code is missing") }
    guard max(names.count, codes.count) <= Self.most else {
      throw .invalid("\(max(names.count, codes.count)) are named; Keepa takes up to \(Self.most)")
    }
    for code in codes where !(8...14 ~= code.utf8.count && code.utf8.allSatisfy { 48...57 ~= $0 }) {
      throw .invalid("“\(code.inOneLine(atMost: 50))” is no UPC, EAN or ISBN-13")
    }
    asins = Array(names.compactMap { KeepaASIN($0) }.uniqued())
    self.codes = codes
    codeLimit = try flags.number("code-limit", in: 1...1_000) ?? Self.codeLimit
    let offers = try flags.number("offers", in: 20...100)
    var set = ContentSet(
      rating: try flags.isOn("rating"), buyBox: try flags.isOn("buybox"), offers: false)
    if let offers { set.formUnion(.offers(upTo: offers)) }
    for (name, part) in [("stock", ContentSet.stock), ("rental", .rental)]
    where try flags.isOn(name) {
      guard offers != nil else { throw .invalid("\(name) needs offers") }
      set.insert(part)
    }
    if try flags.isOn("historical-variations") { set.insert(.historicalVariations) }
    contentSet = set
    updateHours = try flags.number("update", in: -1...1_000_000)
    view = ProductView(
      hasHistory: try flags.isOn("history", otherwise: true),
      days: try flags.number("days", in: 0...100_000),
      stats: try given["stats"].flatMap { $0.isEmpty ? nil : $0 }.map(StatsWindow.init),
      hasVideos: try flags.isOn("videos"), hasAPlus: try flags.isOn("aplus"),
      onlyLiveOffers: try flags.isOn("only-live-offers"))
  }

  private static func list(_ text: String?) -> [String] {
    let all = text?.split(separator: ",").map { $0.filter { $0 != " " } } ?? []
    return Array(all.filter { !$0.isEmpty }.uniqued())
  }

  private struct Flags {
    let given: [String: String]

    init(_ given: [String: String]) { self.given = given }

    func isOn(_ name: String, otherwise standard: Bool = false) throws(KeepaRefusal) -> Bool {
      switch given[name]?.lowercased() {
      case nil, "": return standard
      case "1", "true": return true
      case "0", "false": return false
      case let text?: throw .invalid("\(name) is \(text.inOneLine(atMost: 50)); it is 0 or 1")
      }
    }

    func number(_ name: String, in range: ClosedRange<Int>) throws(KeepaRefusal) -> Int? {
      guard let text = given[name], !text.isEmpty else { return nil }
      guard let number = Int(text), range.contains(number) else {
        throw .invalid(
          "\(name) is \(text.inOneLine(atMost: 50)); it is \(range.lowerBound) to"
            + " \(range.upperBound)")
      }
      return number
    }
  }

  /// `update` counts hours from the product's own `lastUpdate`; the window that is configured from our fetch.
  var age: AgeLimit {
    switch updateHours {
    case nil: .windows
    case .some(..<0): .neverBuy
    case .some(0): .live
    case .some(let hours): .upstream(Int64(hours) * 3_600_000)
    }
  }

  /// The demand for products.
  func demand(for asins: [KeepaASIN]) -> ResourceDemand {
    var demand = ResourceDemand(
      KeepaUpstream.product, asins.map { KeepaUpstream.resource($0, domain) },
      parts: contentSet.rawValue, age: age)
    demand.isWhole = true
    return demand
  }

  /// The demand for what the codes stand for; the products come with it, with the parts that are wanted of them.
  var codeDemand: ResourceDemand {
    var demand = ResourceDemand(
      KeepaUpstream.code,
      codes.map { ResourceKey(shared: KeepaUpstream.code, path: "\(domain.rawValue)/\($0)") },
      age: age == .neverBuy ? .neverBuy : .windows)
    let paid = KeepaProductRequest(domain: domain, asins: [], contentSet: contentSet).parameters
    demand.request = PassedRequest(
      path: "/product",
      query: paid.filter { $0.name != "asin" } + [
        ("code-limit", "\(codeLimit)"), ("code", codes.joined(separator: ",")),
      ])
    demand.isWhole = true
    return demand
  }

  /// What a request that is sent on wants of each product.
  static func contentSet(of request: PassedRequest) -> ContentSet {
    (try? ProductQuery(request.query))?.contentSet ?? .plain
  }

  /// How many products each code of a request that is sent on may bring.
  static func codeLimit(of request: PassedRequest) -> Int {
    (try? ProductQuery(request.query))?.codeLimit ?? codeLimit
  }

  /// What each of its products costs in tokens, at most and probably; of a code as many as it may bring.
  static func price(of request: PassedRequest, live: Bool) -> (bound: Int64, expected: Int64) {
    guard let query = try? ProductQuery(request.query) else { return (1, 1) }
    let bound = KeepaPriceList.bound(query.contentSet, isLive: live || query.updateHours == 0)
    let expected = KeepaPriceList.expected(query.contentSet)
    guard query.codes.isEmpty else { return (bound * Int64(query.codeLimit), expected) }
    let count = Int64(max(1, query.asins.count))
    return (bound * count, expected * count)
  }
}
