import HTTPTypes
import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog

extension HTTPService {
  /// `POST` and `GET /buyer/watches`, `DELETE /buyer/watches/{id}`.
  func addWatches(_ scout: Scout, to router: Router<TollbookContext>) {
    let book = WatchBook(gateway: gateway)
    router.route(
      "/buyer/watches", query: QueryNames(["account"]),
      get: { request, context in
        let account = try account(QueryParameters(request)["account"], context)
        try await scout.fill(gateway)
        let rows = try book.watches(of: account).rows
        let looks = try scout.looks(at: rows.map(\.id), gateway)
        let now = log.time.now()
        return .object(position: log.head, capacity: 512 * (rows.count + 1)) { json in
          json.array("watches", rows) { json, watch in
            json.object { json in watch.write(looks[watch.id], to: &json, at: now) }
          }
        }
      },
      post: { request, context in
        let account = try account(QueryParameters(request)["account"], context)
        let fields = try await JSONFields(
          of: request, limit: 4_096, names: ["item_id", "below", "currency"], mostValues: 16)
        return try await watch(fields, of: account, context, scout)
      })
    router.route(
      "/buyer/watches/{id}", query: QueryNames(["account"]), scope: .fetch,
      delete: { request, context in
        let account = try account(QueryParameters(request)["account"], context)
        let name = Self.name(context, "id")
        guard let need = EbayNeed(listing: name), let id = EbayNeed.item(need.resource) else {
          throw Problem(.invalidParameter, Self.noListing(name), field: "id")
        }
        guard try await book.remove(id, of: account) else {
          throw Problem(.notFound, "\(account) does not watch \(id)", field: "id")
        }
        return removed("item_id", id.description)
      })
  }

  private func watch(
    _ fields: JSONFields, of account: String, _ context: TollbookContext, _ scout: Scout
  ) async throws -> Response {
    let name = try JSONFields.require(
      try fields.string("item_id"), "item_id", "an item id such as v1|110000000001|0")
    guard let need = EbayNeed(listing: name), let id = EbayNeed.item(need.resource) else {
      throw Problem(.invalidField, Self.noListing(name), field: "item_id")
    }
    let mark = try fields.string("below")
    // What eBay is not to be asked for.
    if let mark, EbayMoney(mark, .finest) == nil {
      throw Problem(.invalidField, Self.noAmount(mark), field: "below")
    }
    let named = try fields.string("currency")
    if let named, EbayCurrency(named) == nil {
      throw Problem(
        .invalidField,
        "currency is “\(named.inOneLine(atMost: 50))”; it is three capitals such as EUR",
        field: "currency")
    }
    let book = WatchBook(gateway: gateway)
    var watches = try book.watches(of: account)
    // Before anything is bought for it.
    try Self.refusing(id) { () throws(WatchBook.Refusal) in
      try watches.add(Watch(id, created: log.time.now()))
    }
    var principal = context.principal
    principal.account = account
    let (look, charge, headers) = try await look(need, id, principal, scout)
    let watch: Watch
    do {
      watch = try await Self.keep(look, below: mark, named, id, of: account, book, log.time.now())
    } catch var problem as Problem {
      // What it has cost is told though nothing is watched.
      problem.headers.set(headers)
      throw problem
    }
    scout.noteUse()
    var response = Response.object(position: log.head) { json in
      watch.write(look, to: &json, at: log.time.now())
      json.field("calls", charge)
    }.created(at: "/buyer/watches/\(id.pathStep)")
    response.headers.set(headers)
    return response
  }

  /// Keeps a watch of a listing that is known.
  private static func keep(
    _ look: ListingLook, below mark: String?, _ named: String?, _ id: EbayItemID,
    of account: String, _ book: WatchBook, _ now: Timestamp
  ) async throws -> Watch {
    guard let price = look.price else {
      throw Problem(.listingEnded, "the listing \(id) has ended", field: "item_id")
    }
    if let named, named != price.currency.code {
      throw Problem(
        .invalidField,
        "currency is \(named), and \(id) costs \(price.currency.code); prices of two currencies"
          + " are not compared", field: "currency")
    }
    var watch = Watch(id, created: now)
    if let mark {
      guard let money = EbayMoney(mark, price.currency) else {
        throw Problem(.invalidField, noAmount(mark), field: "below")
      }
      watch.below = money
    } else {
      watch.told = price
    }
    do { try await book.add(watch, of: account) } catch let refusal as WatchBook.Refusal {
      try refusing(id) { () throws(WatchBook.Refusal) in throw refusal }
    } catch let problem as PurchaseProblem { throw Problem(problem) }
    return watch
  }

  private static func noAmount(_ text: String) -> String {
    "below is “\(text.inOneLine(atMost: 50))”; it is an amount in the listing's currency, such as"
      + " 19.90"
  }

  private static func refusing(
    _ id: EbayItemID, _ body: () throws(WatchBook.Refusal) -> Void
  ) throws(Problem) {
    do throws(WatchBook.Refusal) { try body() } catch {
      switch error {
      case .isThere:
        throw Problem(
          .conflict, "\(id) is watched already; DELETE /buyer/watches/\(id.pathStep) ends that",
          field: "item_id")
      case .full:
        throw Problem(
          .conflict, "the account has \(WatchBook.mostOfAccount) watches, as many as it may",
          field: "item_id")
      }
    }
  }

  /// What a listing costs: as it was seen in a page of a scan, or as eBay says now.
  private func look(
    _ need: EbayNeed, _ id: EbayItemID, _ principal: Principal, _ scout: Scout
  ) async throws -> (look: ListingLook, charge: Int64, headers: HTTPFields) {
    try await scout.fill(gateway)
    if let known = try scout.looks(at: [id], gateway)[id], known.price != nil {
      return (known, 0, [.charge: "0"])
    }
    var demand = need.demand()
    demand.principal = principal
    let answer = await EbayAsking(gateway: gateway, state: scout.state).answer(demand)
    guard let outcome = answer.outcomes.first else {
      throw Problem(.internalError, "nothing became of \(need.resource)")
    }
    let found = try await scout.found([outcome], gateway)
    let row = ListingRow(id, found, outcome, now: log.time.now())
    if var problem = row.problem {
      problem.field = "item_id"
      problem.headers.set(answer.headers)
      throw problem
    }
    guard let item = row.item, let seen = row.seen else {
      throw Problem(.internalError, "nothing became of \(need.resource)")
    }
    let state: ListingLook.State =
      row.state == .ended ? .ended : .shown(item.listing.currentPrice)
    let look = ListingLook(
      state: state, title: item.listing.title, url: item.listing.webURL, at: seen)
    return (look, answer.charge, answer.headers)
  }
}

extension EbayCurrency {
  /// One of four decimals: what is no amount of it is none of any currency.
  fileprivate static let finest = EbayCurrency("CLF") ?? .dollar
}

extension Watch {
  /// Amounts are decimal text in the listing's currency, of the item alone.
  func write(_ look: ListingLook?, to json: inout JSONWriter, at now: Timestamp) {
    json.field("item_id", id.description)
    json.field("below", below?.plainText)
    json.field("created_at", created)
    switch look?.state {
    case nil: json.field("state", "unknown")
    case .shown?: json.field("state", "active")
    case .ended?: json.field("state", "ended")
    }
    json.field("title", look.flatMap { $0.title.isEmpty ? nil : $0.title })
    json.field("price", look?.price?.plainText)
    json.field("currency", look?.price?.currency.code ?? below?.currency.code)
    json.field("told_price", told?.plainText)
    json.field("url", look?.url)
    json.field("seen_at", look?.at)
    json.field(
      "age_seconds", look.map { max(0, now.milliseconds &- $0.at.milliseconds) / 1_000 })
  }
}
