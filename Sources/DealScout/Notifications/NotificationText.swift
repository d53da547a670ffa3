import JSONText
import TollbookEvents

extension NotificationFact {
  /// Scalars of a title that are told.
  private static let longestTitle = 120
  private static let longestSentence = 500
  private static let longestURL = 500

  /// What has come to pass, in one sentence without a full stop: one line, nothing that steers a terminal, at most 500
  /// scalars.
  package var sentence: String {
    let name = title.inOneLine(atMost: Self.longestTitle)
    let text =
      switch detail {
      case .deal(let score, let total, let fair):
        "new deal: \(name) for \(total.inWords) in all"
          + (fair.map { ", where \($0.inWords) would be fair" } ?? "") + "; score \(score)"
      case .drop(let before, let now):
        "\(name) fell from \(before.inWords) to \(now.inWords), by"
          + " \(Self.percent(before.count, now.count)) %"
      case .ended: "\(name), which you watch, has ended"
      case .share(let percent): "the budget \(name) has used \(percent) % of its limit"
      case .alert(let sentence): sentence
      }
    return text.inOneLine(atMost: Self.longestSentence)
  }

  /// The address, if it is one of the web and may stand in a text: `https`, no blank, no control, nothing that ends a
  /// link.
  package var link: String? {
    guard let url, url.hasPrefix("https://"), url.utf8.count <= Self.longestURL,
      url.utf8.allSatisfy({ 0x21...0x7E ~= $0 && !#"<>|"\`"#.utf8.contains($0) })
    else { return nil }
    return url
  }

  /// Whole percent, rounded down.
  private static func percent(_ before: Int64, _ now: Int64) -> Int {
    before > 0 ? Int(Int128(before - now) * 100 / Int128(before)) : 0
  }
}

extension NotificationDigest {
  /// For a subject line.
  package var heading: String {
    let count = notices.count + untold
    guard count == 1, let only = notices.first else { return "\(count) notices" }
    return only.fact.sentence
  }

  /// One line for each notice: with when a listing was seen, since what it said may have changed, and its address.
  package var lines: [String] {
    let told = notices.map { notice in
      let fact = notice.fact
      let seen = fact.isOfListing ? " (seen \(fact.at))" : ""
      return fact.sentence + seen + (fact.link.map { " " + $0 } ?? "")
    }
    return untold == 0 ? told : told + ["and \(untold) more"]
  }

  /// The body for a Slack-shaped webhook: `{"text"}`. What Slack takes for a link or a mention stands as text.
  package var slackBody: [UInt8] {
    var text = String.UnicodeScalarView()
    for scalar in lines.joined(separator: "\n").unicodeScalars {
      switch scalar {
      case "&": text.append(contentsOf: "&amp;".unicodeScalars)
      case "<": text.append(contentsOf: "&lt;".unicodeScalars)
      case ">": text.append(contentsOf: "&gt;".unicodeScalars)
      default: text.append(scalar)
      }
    }
    let whole = "Tollbook: " + String(text)
    var json = JSONWriter()
    json.object { json in json.field("text", whole) }
    return json.bytes
  }

  /// The body for a signed webhook: event (the kind, or `digest`), account, text, notices (event, rule, subject, at,
  /// text, url, and score, total, fair, from, to or percent), untold.
  package var signedBody: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      let isOne = notices.count == 1 && untold == 0
      json.field("event", isOne ? notices.first?.fact.kind.rawValue : "digest")
      json.field("account", account)
      json.field("text", "Tollbook: " + heading)
      json.array("notices", notices) { json, notice in notice.write(to: &json) }
      json.field("untold", untold)
    }
    return json.bytes
  }
}

extension NotificationNotice {
  fileprivate func write(to json: inout JSONWriter) {
    json.object { json in
      json.field("event", fact.kind.rawValue)
      json.field("rule", rule)
      json.field("subject", fact.subject)
      json.field("at", fact.at.description)
      json.field("text", fact.sentence)
      json.fieldIfPresent("url", fact.link)
      switch fact.detail {
      case .deal(let score, let total, let fair):
        json.field("score", score)
        total.write("total", to: &json)
        fair?.write("fair", to: &json)
      case .drop(let before, let now):
        before.write("from", to: &json)
        now.write("to", to: &json)
      case .share(let percent): json.field("percent", percent)
      case .ended, .alert: break
      }
    }
  }
}

extension Amount {
  fileprivate func write(_ name: String, to json: inout JSONWriter) {
    json.object(name) { json in
      if Amount.isMoney(unit) {
        json.field("amount", DecimalText.text(nanoUnits: count))
      } else {
        json.field("amount", count)
      }
      json.field("currency", unit)
    }
  }
}
