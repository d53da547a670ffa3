import TollbookEvents
import TollbookHTTP

/// One deal in the list: what it is, what it costs, what is thought of it and why, and what can be done with it.
enum DealCard {
  static func html(
    _ deal: DealsPage.Deal, index: Int, _ content: DealsPage.Content
  ) -> HTML {
    let id = "deal-\(index)"
    return HTML(.article, .class("card"), .labelled(by: id)) {
      HTML(.div, .class("card-head")) {
        photo(deal)
        HTML(.div) {
          HTML(.h2, .id(id)) { title(deal) }
          price(deal)
        }
      }
      score(deal)
      flags(deal)
      if let score = deal.score { reasons(score, deal) }
      foot(deal, content)
    }
  }

  private static func photo(_ deal: DealsPage.Deal) -> HTML {
    if let image = deal.image.flatMap({ WebAddress($0) }), image.isPrivate {
      return HTML(
        .img, .class("photo"), .src(image), .alt(""), .width(96), .height(96), .loadingLazily,
        .withoutReferrer)
    }
    return HTML(.span, .class("photo")) { "No photo" }
  }

  private static func title(_ deal: DealsPage.Deal) -> HTML {
    let title = HTML.foreign(deal.title)
    guard let link = deal.link.flatMap({ WebAddress($0) }) else { return title }
    return HTML(.a, .href(link), .toOtherSite) { title }
  }

  private static func price(_ deal: DealsPage.Deal) -> HTML {
    let price = PageWords.money(deal.price, deal.currency)
    return HTML {
      HTML(.p, .class("price")) { PageWords.money(deal.total ?? deal.price, deal.currency) }
      HTML(.p, .class("parts")) {
        switch deal.shipping {
        case .free: "Free shipping"
        case .known(let cost):
          "\(price) and \(PageWords.money(cost, deal.currency)) shipping"
        case .unknown: "Shipping unknown, not counted"
        }
      }
    }
  }

  private static func score(_ deal: DealsPage.Deal) -> HTML {
    HTML(.div, .class("score")) {
      if let score = deal.score {
        HTML(.span, .class("score-number \(level(score.points))")) {
          HTML(.span, .class("hidden")) { "Score " }
          "\(min(max(0, score.points), 100))"
          HTML(.span, .class("hidden")) { " of 100" }
        }
        HTML(.div, .class("score-text")) {
          HTML(.p) {
            HTML(.strong) { discount(score) }
            " a fair price of \(PageWords.money(score.fairPrice, deal.currency))"
          }
          HTML(.p, .class("parts")) {
            "\(title(score.confidence)) confidence, "
              + PageWords.count(score.comparables, "comparable")
          }
        }
      } else {
        HTML(.span, .class("score-number"), .isDecoration) { "–" }
        HTML(.p, .class("score-text")) {
          deal.unscored.isEmpty ? "Not scored" : "Not scored: \(deal.unscored)"
        }
      }
    }
  }

  private static func title(_ confidence: DealsPage.Deal.Confidence) -> String {
    switch confidence {
    case .low: "Low"
    case .medium: "Medium"
    case .high: "High"
    }
  }

  private static func discount(_ score: DealsPage.Deal.Score) -> String {
    switch score.discount {
    case 0: "At"
    case ..<0: "\(score.discount.magnitude)% above"
    default: "\(score.discount)% below"
    }
  }

  private static func level(_ points: Int) -> String {
    switch points {
    case 75...: "high"
    case 50..<75: "middle"
    default: "low"
    }
  }

  private static func flags(_ deal: DealsPage.Deal) -> HTML {
    HTML(.ul, .class("badges"), .list, .label("Notes")) {
      if !deal.condition.isEmpty {
        HTML(.li, .class("badge")) { HTML.foreign(deal.condition) }
      }
      for flag in deal.flags {
        HTML(.li, .class(flag.isWarning ? "badge warn" : "badge good")) { flag.text }
      }
      HTML(.li, .class(deal.isFromCache ? "badge good" : "badge")) {
        deal.isFromCache ? "Cache hit" : "Cache miss: bought now"
      }
    }
  }

  private static func reasons(
    _ score: DealsPage.Deal.Score, _ deal: DealsPage.Deal
  ) -> HTML {
    HTML(.details) {
      HTML(.summary) { "Why this score" }
      if score.reasons.isEmpty {
        HTML(.p) { "No reasons were noted." }
      } else {
        HTML(.ul) {
          for reason in score.reasons { HTML(.li) { HTML.foreign(reason) } }
        }
      }
    }
  }

  private static func foot(_ deal: DealsPage.Deal, _ content: DealsPage.Content) -> HTML {
    HTML(.div, .class("card-foot")) {
      HTML(.p, .class("when")) {
        "Seen "
        HTML.time(deal.seenAt, PageWords.age(of: deal.seenAt, at: content.now))
        if let end = deal.endsAt {
          end <= content.now ? ", ended " : ", ends "
          HTML.time(end, ending(end, content.now))
        }
      }
      HTML(.div, .class("actions")) {
        for mark in DealsPage.Mark.allCases { form(mark, deal, content) }
      }
    }
  }

  private static func ending(_ end: Timestamp, _ now: Timestamp) -> String {
    end <= now ? PageWords.age(of: end, at: now) : PageWords.time(until: end, at: now)
  }

  /// A button that sets a mark, or takes it away.
  private static func form(
    _ mark: DealsPage.Mark, _ deal: DealsPage.Deal, _ content: DealsPage.Content
  ) -> HTML {
    let isSet = deal.marks.contains(mark)
    let word =
      switch mark {
      case .seen: "Seen"
      case .saved: "Save"
      case .hidden: "Hide"
      }
    return HTML(.form, .post, .action("/deals/marks")) {
      HTML.token(content.token)
      HTML(.input, .type(.hidden), .name("item"), .value(deal.itemID))
      HTML(.input, .type(.hidden), .name("mark"), .value(mark.rawValue))
      HTML(.input, .type(.hidden), .name("set"), .value(isSet ? "false" : "true"))
      HTML(.input, .type(.hidden), .name("next"), .value(content.filter.path().text))
      HTML(.button, .submit, .class("quiet"), .pressed(isSet)) {
        if isSet { HTML(.span, .isDecoration) { "✓\u{A0}" } }
        word
        HTML(.span, .class("hidden")) { ": \(deal.title.inOneLine(atMost: 80))" }
      }
    }
  }
}

extension DealsPage {
  /// The fields of the form that sets a mark: the listing, the mark, `true` or `false`, and the page to go back to.
  static let markFields = ["item", "mark", "set", "next"]
}
