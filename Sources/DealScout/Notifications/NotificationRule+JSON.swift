import JSONText
import TollbookEvents
import TollbookHTTP

extension NotificationRule {
  // MARK: As it is kept

  var bytes: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.field("created_ms", created.milliseconds)
      json.field("operators", isOperators)
      writeMembers(to: &json)
    }
    return json.bytes
  }

  /// Nil: it cannot be read.
  init?(_ bytes: [UInt8], name: String, of account: String) {
    guard let root = try? JSONDocument(bytes, maximumDepth: 3, maximumValues: 64).root,
      let created = root["created_ms"]?.int64,
      let kind = root["about"]?.string.flatMap({ NotificationFact.Kind(rawValue: $0) }),
      let channel = root["channel"]?.string,
      let timing = root["delivery"]?.string.flatMap({ Timing(rawValue: $0) })
    else { return nil }
    let condition = Condition(
      kind, score: root["min_score"]?.int, percent: root["min_percent"]?.int,
      alerts: root["alerts"]?.array?.compactMap(\.string))
    guard let condition else { return nil }
    let rule = try? NotificationRule(
      name, account: account, condition, search: root["search"]?.string, channel: channel,
      timing: timing, created: Timestamp(milliseconds: created),
      isOperators: root["operators"]?.bool ?? false)
    guard let rule else { return nil }
    self = rule
  }

  // MARK: As it is shown

  func write(to json: inout JSONWriter) {
    json.field("name", name)
    json.field("account", account)
    writeMembers(to: &json)
    json.field("created_at", created)
  }

  private func writeMembers(to json: inout JSONWriter) {
    json.field("about", condition.kind.rawValue)
    json.fieldIfPresent("search", search)
    switch condition {
    case .newDeal(let score): json.field("min_score", score)
    case .priceDrop(let percent), .budgetThreshold(let percent):
      json.field("min_percent", percent)
    case .alert(let names): if !names.isEmpty { json.array("alerts", names) }
    case .watchEnded: break
    }
    json.field("channel", channel)
    json.field("delivery", timing.rawValue)
  }
}

extension NotificationRule.Condition {
  /// Nil: there are no rules about such facts.
  ///
  /// - Parameters:
  ///   - score: the least; nil: 60.
  ///   - percent: the least; nil: any.
  ///   - alerts: their names; nil: all.
  init?(_ kind: NotificationFact.Kind, score: Int?, percent: Int?, alerts: [String]?) {
    switch kind {
    case .newDeal: self = .newDeal(minimumScore: score ?? Self.standardScore)
    case .priceDrop: self = .priceDrop(minimumPercent: percent ?? 1)
    case .watchEnded: self = .watchEnded
    case .budgetThreshold: self = .budgetThreshold(minimumPercent: percent ?? 1)
    case .alert: self = .alert(names: alerts ?? [])
    case .test: return nil
    }
  }

  private static let standardScore = 60
}
