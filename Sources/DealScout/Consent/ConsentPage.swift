import TollbookEvents
import TollbookHTTP

/// What a browser shows that eBay has sent back, and what the page of deals says of a consent.
enum ConsentPage {
  /// How an account stands with eBay.
  enum Standing: Hashable, Sendable {
    case notConnected
    /// eBay takes the consent no more.
    case revoked
    /// Nil: eBay has not told until when.
    case connected(until: Timestamp?)
  }

  static func connected(_ account: String, _ user: EbayUser) -> Page {
    Page("eBay is connected") {
      HTML(.p, .class("lead")) {
        "You have let Tollbook act for you on eBay, for the account "
        HTML(.code) { account }
        "."
      }
      HTML(.p) {
        if let ends = user.tokens?.refreshEnds {
          "The consent holds until "
          HTML.time(ends, PageWords.instant(ends))
          ", unless you withdraw it in your account on eBay."
        } else {
          "The consent holds until you withdraw it in your account on eBay."
        }
      }
      HTML(.a, .class("button"), .href(WebAddress(OwnPath("/deals")))) { "To the deals" }
    }
  }

  /// - Parameter error: eBay's word, such as `access_denied`.
  static func refused(_ error: String) -> Page {
    Page("eBay is not connected") {
      HTML(.p, .class("lead")) {
        error == "access_denied"
          ? "The consent was refused. Nothing was kept." : "eBay gave no consent. Nothing was kept."
      }
      HTML(.p) {
        "eBay says "
        HTML(.code) { error }
        ". You can begin anew whenever you like."
      }
      again("Try again")
    }
  }

  /// A sentence for the page of deals.
  static func notice(_ standing: Standing) -> HTML {
    HTML(.p, .class("note")) {
      switch standing {
      case .notConnected:
        "No user of eBay is connected. "
        connect
      case .revoked:
        "eBay takes the consent of its user no more. "
        connect
      case .connected(let ends):
        "A user of eBay is connected"
        if let ends {
          " until "
          HTML.time(ends, PageWords.instant(ends))
        }
        "."
      }
    }
  }

  private static let connect = HTML(.a, .href(WebAddress(OwnPath("/ebay/authorize")))) {
    "Connect eBay"
  }

  private static func again(_ words: String) -> HTML {
    HTML(.a, .class("button"), .href(WebAddress(OwnPath("/ebay/authorize")))) { words }
  }
}

extension ConsentPage.Standing {
  init(_ user: EbayUser?, at now: Timestamp) {
    guard let user else {
      self = .notConnected
      return
    }
    self = user.tokens(at: now).map { .connected(until: $0.refreshEnds) } ?? .revoked
  }
}
