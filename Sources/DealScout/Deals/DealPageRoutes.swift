import Hummingbird
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookViews

extension HTTPService {
  /// The page `/deals`, and the form that marks a listing.
  func addDealPages(_ scout: Scout, to router: PageRouter) {
    let names = QueryNames(DealsFilter.names + ["preferences"])
    router.page("/deals", link: "Deals", query: names) { request, context in
      // A form sends all of its fields: what is empty there was taken away on purpose.
      let isPlain = request.uri.query?.isEmpty ?? true
      return DealsPage.page(
        try await dealsContent(QueryParameters(request), isPlain: isPlain, context, scout))
    }
    router.form("/deals/marks", fields: DealsPage.markFields) { fields, context in
      let text = try fields.require("item", "the listing")
      guard let id = EbayItemID(text) else {
        throw Problem(.invalidField, "item is no listing of eBay's", field: "item")
      }
      let name = try fields.require("mark", "seen, saved or hidden")
      guard let mark = DealsPage.Mark(rawValue: name) else {
        throw Problem(
          .invalidField, "mark is “\(name.inOneLine(atMost: 50))”; it is seen, saved or hidden",
          field: "mark")
      }
      let set = try fields.require("set", "true or false")
      guard let isSet = Bool(set) else {
        throw Problem(
          .invalidField, "set is “\(set.inOneLine(atMost: 50))”; it is true or false", field: "set")
      }
      try await scout.fill(gateway)
      // What is marked and has ended since can still be unmarked.
      guard !isSet || scout.index[id] != nil else {
        throw Problem(
          .notFound, "no search shows the listing \(id.description.inOneLine(atMost: 60)) any more",
          field: "item")
      }
      try await MarkBook(gateway: gateway).set(
        mark, isSet, on: id, of: context.principal.account)
      return .seeOther(fields.ownPath("next") ?? "/deals")
    }
  }

  private func dealsContent(
    _ query: QueryParameters, isPlain: Bool, _ context: PageContext, _ scout: Scout
  ) async throws -> DealsPage.Content {
    try await scout.fill(gateway)
    let now = log.time.now()
    let account = context.principal.account
    var content = DealsPage.Content(now: now, token: context.token)
    content.filter = DealsFilter(query)
    if !scout.judges {
      content.unscored =
        "eBay has not agreed that prices are judged by what it shows (EBAY_MODELLING_CONSENT)"
    }
    if scout.consents.isSet {
      content.consent = .init(try UserBook(gateway: gateway).user(of: account), at: now)
    }
    let searches = try SearchBook(gateway: gateway).searches(of: account)
    content.searches = searches.count
    for search in searches {
      guard let page = search.page(0),
        let entry = try gateway.kept(EbayNeed.search(page).resource)
      else { continue }
      content.scanned = max(content.scanned ?? entry.fetched, entry.fetched)
    }
    var question: DealQuestion
    do throws(Problem) { question = try DealQuestion(query) } catch {
      // The page says beside the field what is wrong with it.
      guard let field = error.field else { throw error }
      content.faults[field] = error.detail
      return content
    }
    if isPlain {
      let preferences = try PreferenceBook(gateway: gateway).preferences(of: account)
      question.prefer(preferences, query, judges: scout.judges)
      content.filter.show(preferences, question.preferred)
    }
    let marks = try MarkBook(gateway: gateway).marks(of: account).byID
    let board = await scout.board.content(of: scout.index, judges: scout.judges, now: now)
    var shown = scout.rows(of: searches, in: board)
    for (id, marks) in marks where marks.contains(.hidden) {
      if let row = EbayItemID(id).flatMap({ board.number(of: $0) }) { shown.remove(row) }
    }
    let (rows, next) = question.page(of: board, shownBy: shown)
    content.next = next
    content.deals = rows.map { row in
      var deal = DealsPage.Deal(row)
      deal.marks = marks[row.listing.id.description] ?? []
      return deal
    }
    return content
  }
}

extension DealsPage.Deal {
  init(_ row: DealBoard.Row) {
    let listing = row.listing
    let shipping: Shipping =
      switch listing.shipping {
      case nil: .unknown
      case 0?: .free
      case let cost?: .known(cost)
      }
    self.init(
      itemID: listing.id.description, title: listing.title, price: listing.price,
      shipping: shipping, currency: listing.currency, seenAt: listing.seen)
    condition = listing.condition
    image = listing.imageURL
    link = listing.webURL
    endsAt = listing.endsAt
    unscored = row.verdict?.refusal?.description ?? ""
    guard let found = row.score else { return }
    flags = found.flags.map { flag in
      switch flag {
      case .implausiblyCheap: Flag("Too cheap to be believed")
      case .unknownShipping: Flag("Shipping unknown")
      case .auction: Flag("Auction: the price can still rise", isWarning: false)
      }
    }
    score = Score(found)
  }
}

extension DealsPage.Deal.Score {
  fileprivate init(_ score: ShownVerdict.Score) {
    let confidence: DealsPage.Deal.Confidence =
      switch score.confidence {
      case .low: .low
      case .medium: .medium
      case .high: .high
      }
    var reasons = [
      "The middle price of \(score.kept) comparable listings is the fair price"
        + (score.dropped > 0 ? "; \(score.dropped) lay too far out" : "") + "."
    ]
    let (whole, tenth) = score.discount.magnitude.quotientAndRemainder(dividingBy: 10)
    let side = score.discount < 0 ? "above" : "below"
    reasons.append("The total lies \(whole).\(tenth)% \(side) it.")
    for penalty in score.penalties {
      let why =
        switch penalty.reason {
        case .lowFeedback: "the seller has bad ratings"
        case .fewRatings: "the seller has few ratings"
        case .unknownFeedback: "the seller's ratings are not known"
        case .unknownShipping: "shipping is not known"
        }
      reasons.append("\(penalty.tenths / 10) points less: \(why).")
    }
    self.init(
      points: Int(score.points), confidence: confidence, fairPrice: score.fair.minorUnits,
      discount: Int(score.discount.rounded(by: 10)), comparables: Int(score.kept),
      reasons: reasons)
  }
}
