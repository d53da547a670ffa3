import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog

/// What an account wants of deals where it says nothing else: one entry for each account, sealed with its data key.
struct PreferenceBook: Sendable {
  static let kind = "ebay.preferences"

  let gateway: Gateway

  private func resource(_ account: String) -> ResourceKey {
    ResourceKey(account: account, kind: Self.kind, path: "deals")
  }

  /// What cannot be read says nothing.
  func preferences(of account: String) throws(LogError) -> DealPreferences {
    try gateway.keptContent(resource(account)).flatMap { try? DealPreferences($0) }
      ?? DealPreferences()
  }

  func set(
    _ preferences: DealPreferences, of account: String
  ) async throws(PurchaseProblem) {
    try await gateway.keep(preferences.bytes, as: resource(account))
  }
}

/// Filters and an order for `GET /buyer/deals`, each under the name of its parameter. Nil: nothing is preferred.
struct DealPreferences: Hashable, Sendable {
  static let names = [
    "marketplace", "min_score", "confidence", "condition", "max_price", "sort",
  ]
  /// In bytes, of what a client sends.
  static let longestBody = 4_096

  var marketplace: EbayMarketplace?
  /// From 0 to 100.
  var minimumScore: Int64?
  var confidence: Confidence?
  var condition: ConditionGroup?
  /// Of the total, in a currency of two decimals.
  var maximumPrice: EbayMoney?
  var order: DealQuestion.Order?

  init() {}

  /// Reads what a client has sent, or what is kept.
  init(_ bytes: [UInt8]) throws(Problem) {
    let fields = try JSONFields(bytes, names: Self.names, mostValues: 32)
    if let id = try fields.string("marketplace") {
      do throws(EbayRequestFault) { marketplace = try EbayMarketplace(id: id) } catch {
        throw Problem(error)
      }
    }
    minimumScore = try fields.integer("min_score", in: 0...100)
    confidence = try Self.choice(
      fields, "confidence", Confidence.allCases.map(\.rawValue), Confidence.init(rawValue:))
    condition = try Self.choice(
      fields, "condition", ConditionGroup.allCases.map(\.rawValue),
      ConditionGroup.init(rawValue:))
    order = try Self.choice(
      fields, "sort", DealQuestion.Order.allCases.map(\.rawValue),
      DealQuestion.Order.init(rawValue:))
    if let text = try fields.string("max_price") {
      guard let money = EbayMoney(text, .dollar) else {
        throw Problem(
          .invalidField,
          "max_price is “\(text.inOneLine(atMost: 50))”; it is an amount such as 19.90",
          field: "max_price")
      }
      maximumPrice = money
    }
  }

  private static func choice<Choice>(
    _ fields: JSONFields, _ name: String, _ names: [String], _ read: (String) -> Choice?
  ) throws(Problem) -> Choice? {
    guard let text = try fields.string(name) else { return nil }
    guard let choice = read(text) else {
      throw Problem(
        .invalidField,
        "\(name) is “\(text.inOneLine(atMost: 50))”; it is one of"
          + " \(names.joined(separator: ", "))", field: name)
    }
    return choice
  }

  var bytes: [UInt8] {
    var json = JSONWriter()
    json.object { json in write(to: &json) }
    return json.bytes
  }

  func write(to json: inout JSONWriter) {
    json.field("marketplace", marketplace?.id)
    json.field("min_score", minimumScore)
    json.field("confidence", confidence?.rawValue)
    json.field("condition", condition?.rawValue)
    json.field("max_price", maximumPrice?.plainText)
    json.field("sort", order?.rawValue)
  }
}
