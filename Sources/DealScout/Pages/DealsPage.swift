import TollbookEvents
import TollbookHTTP

/// The page of deals, made of nothing but what it is told.
enum DealsPage {
  /// What the page shows.
  struct Content: Hashable, Sendable {
    var filter = DealsFilter()
    /// What is wrong with a filter, by the name of its parameter, in a sentence.
    var faults: [String: String] = [:]
    var conditions = Choice.conditions
    var confidences = Choice.confidences
    var sorts = Choice.sorts
    var deals: [Deal] = []
    /// Where the list goes on; nil: it ends here.
    var next: String?
    /// How many searches the account has saved.
    var searches = 0
    /// When its searches were last scanned; nil: never.
    var scanned: Timestamp?
    /// Why nothing is scored, in a sentence; nil: what can be scored is.
    var unscored: String?
    /// How the account stands with eBay; nil: nobody can consent.
    var consent: ConsentPage.Standing?
    var now: Timestamp
    var token: FormToken

    init(now: Timestamp, token: FormToken) {
      self.now = now
      self.token = token
    }
  }

  /// One of a few values that a filter can have.
  struct Choice: Hashable, Sendable {
    /// As the address says it; empty: any.
    var value: String
    var title: String

    init(_ value: String, _ title: String) {
      self.value = value
      self.title = title
    }

    static let conditions =
      [Choice("", "Any")] + ConditionGroup.allCases.map { Choice($0.rawValue, $0.title) }
    static let confidences = [
      Choice("", "Any"), Choice("low", "Low or better"), Choice("medium", "Medium or better"),
      Choice("high", "High"),
    ]
    static let sorts = [
      Choice("", "Best score"), Choice("price", "Lowest price"), Choice("-price", "Highest price"),
      Choice("newest", "Listed last"), Choice("ending", "Ending first"),
    ]
  }

  /// What a form does with a listing.
  enum Mark: String, Hashable, Sendable, CaseIterable { case seen, saved, hidden }

  /// A listing, and what is thought of it.
  struct Deal: Hashable, Sendable {
    enum Shipping: Hashable, Sendable {
      case free
      /// In minor units.
      case known(Int64)
      case unknown
    }

    enum Confidence: String, Hashable, Sendable { case low, medium, high }

    /// A listing that is scored.
    struct Score: Hashable, Sendable {
      /// 0 to 100.
      var points: Int
      var confidence: Confidence
      /// In minor units of the listing's currency.
      var fairPrice: Int64
      /// How far the total lies below the fair price, in percent of that; negative: above.
      var discount: Int
      /// How many listings it was compared with.
      var comparables: Int
      /// Why, in sentences.
      var reasons: [String]
    }

    /// Something that is to be known before the listing is praised.
    struct Flag: Hashable, Sendable {
      var text: String
      /// Whether it warns.
      var isWarning: Bool

      init(_ text: String, isWarning: Bool = true) {
        self.text = text
        self.isWarning = isWarning
      }
    }

    var itemID: String
    var title: String
    /// Of the item alone, in minor units.
    var price: Int64
    var shipping: Shipping
    var currency: EbayCurrency
    var condition = ""
    /// Nil: it is not scored.
    var score: Score?
    /// Why it is not, in a sentence.
    var unscored = ""
    var flags: [Flag] = []
    var image: String?
    var link: String?
    var endsAt: Timestamp?
    var seenAt: Timestamp
    /// Whether the page that showed it came from the cache; else it was bought for this answer.
    var isFromCache = true
    var marks: Set<Mark> = []

    /// Price and shipping together; nil: the shipping is unknown.
    var total: Int64? {
      switch shipping {
      case .free: price
      case .known(let cost): price.addingReportingOverflow(cost).partialValue
      case .unknown: nil
      }
    }
  }

  static func page(_ content: Content) -> Page {
    Page("Deals", showsPhotos: true) { html(content) }
  }

  /// What stands below the heading.
  static func html(_ content: Content) -> HTML {
    DealsFilterForm.html(content)
      + notices(content)
      + (content.deals.isEmpty ? empty(content) : list(content))
      + licence
  }

  private static func notices(_ content: Content) -> HTML {
    HTML {
      if let reason = content.unscored {
        HTML(.p, .class("notice")) { "Nothing is scored here: \(reason)" }
      }
      if let consent = content.consent { ConsentPage.notice(consent) }
    }
  }

  private static func list(_ content: Content) -> HTML {
    HTML {
      HTML(.ul, .class("cards"), .list, .label("Deals")) {
        for (index, deal) in content.deals.enumerated() {
          HTML(.li) { DealCard.html(deal, index: index, content) }
        }
      }
      if let next = content.next {
        HTML(.p) {
          HTML(.a, .class("button"), .href(WebAddress(content.filter.path(cursor: next)))) {
            "More deals"
          }
        }
      }
    }
  }

  /// What to do where there is nothing to show.
  private static func empty(_ content: Content) -> HTML {
    HTML(.section, .class("empty")) {
      if !content.filter.isEmpty {
        HTML(.h2) { "No deal goes with these filters" }
        HTML(.p) { "Take a filter away, or accept a lower score." }
        HTML(.a, .class("button"), .href(WebAddress(OwnPath("/deals")))) { "Show all deals" }
      } else if !content.filter.cursor.isEmpty {
        HTML(.h2) { "The list ends here" }
        HTML(.a, .class("button"), .href(WebAddress(content.filter.path(cursor: "")))) {
          "Back to its beginning"
        }
      } else if content.searches == 0 {
        HTML(.h2) { "No search is saved yet" }
        HTML(.p) {
          "Deals come from searches. Save one with "
          HTML(.code) { "POST /searches" }
          ", such as "
          HTML(.code) { #"{"name":"cameras","q":"mirrorless camera","marketplace":"EBAY_US"}"# }
          ", and scan it with "
          HTML(.code) { "POST /scan/run" }
          "; after that it is scanned every few minutes."
        }
      } else {
        HTML(.h2) {
          content.scanned == nil ? "Nothing was scanned yet" : "The last scan has found no deal"
        }
        HTML(.p) {
          content.searches == 1
            ? "You have one saved search. " : "You have \(content.searches) saved searches. "
          if let scanned = content.scanned {
            "The last scan was "
            HTML.time(scanned, PageWords.age(of: scanned, at: content.now))
            ". "
          }
          "Scan now with "
          HTML(.code) { "POST /scan/run" }
          ", or wait for the next scan."
        }
      }
    }
  }

  private static let licence = HTML(.p, .class("note")) {
    "Listings and pictures are eBay's content, shown under the licence of the API that you have"
      + " agreed to, at most for a day. Each says how long ago it was seen: its price may have"
      + " changed since, and it may have ended. A score is an estimate from other listings, and no"
      + " advice."
  }
}

extension HTML {
  /// Pieces one after another.
  init(@HTMLBuilder _ content: () -> HTML) { self = content() }
}
