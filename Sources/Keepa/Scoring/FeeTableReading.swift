import JSONText
import TollbookEvents
import TollbookUpstreams

/// Reads and checks a file of fees.
enum FeeTableReading {
  static func marketplaces(
    _ json: CheckedJSON
  ) throws(DataFileError) -> [KeepaDomain: MarketplaceFees] {
    try json.allow("version", "note", "marketplaces")
    _ = try json.member("version").integer(1...1)
    var marketplaces: [KeepaDomain: MarketplaceFees] = [:]
    for element in try json.member("marketplaces").elements() {
      let (domain, fees) = try marketplace(element)
      guard marketplaces.updateValue(fees, forKey: domain) == nil else {
        throw element.fault(.twice(domain.name))
      }
    }
    return marketplaces
  }

  private static func marketplace(
    _ json: CheckedJSON
  ) throws(DataFileError) -> (KeepaDomain, MarketplaceFees) {
    try json.allow(
      "domain", "currency", "keepa_fee_holds_surcharge", "surcharge", "closing", "referral",
      "fulfilment")
    let domain = try domain(try json.member("domain"))
    _ = try word(try json.member("currency"), of: [domain.currency])
    let holds = try json.member("keepa_fee_holds_surcharge")
    try holds.allow("value", "source")
    _ = try holds.member("source").text()
    let referral = try DatedSeries(try json.member("referral"), referralTable)
    let closing = try DatedSeries(try json.member("closing"), closingFee)
    try check(closing, try json.member("closing"), against: referral)
    let fees = MarketplaceFees(
      keepaFeeHoldsSurcharge: try holds.member("value").bool(),
      referral: referral, closing: closing,
      surcharge: try DatedSeries(try json.member("surcharge"), surcharge),
      fulfilment: try DatedSeries(try json.member("fulfilment"), card))
    return (domain, fees)
  }

  private static func domain(_ json: CheckedJSON) throws(DataFileError) -> KeepaDomain {
    let number = try json.integer(0...Int64(Int32.max))
    guard let domain = KeepaDomain(rawValue: Int(number)) else {
      throw json.fault(.unknown("Keepa knows no marketplace \(number)"))
    }
    return domain
  }

  private static func word(
    _ json: CheckedJSON, of allowed: [String]
  ) throws(DataFileError) -> String {
    let text = try json.text()
    guard allowed.contains(text) else { throw json.fault(.unknownWord(text, allowed: allowed)) }
    return text
  }

  private static func surcharge(_ json: CheckedJSON) throws(DataFileError) -> Surcharge {
    try json.allow("from", "until", "rate", "source")
    return Surcharge(
      rate: try json.member("rate").rate(), source: try json.member("source").text())
  }
}

// MARK: - Referral and closing fees

extension FeeTableReading {
  private static func closingFee(_ json: CheckedJSON) throws(DataFileError) -> ClosingFee {
    try json.allow("from", "until", "fee", "categories", "source")
    var categories: Set<String> = []
    for element in try json.member("categories").elements() {
      let name = try element.text()
      guard categories.insert(name).inserted else { throw element.fault(.twice(name)) }
    }
    return ClosingFee(
      fee: try json.member("fee").amount(), categories: categories,
      source: try json.member("source").text())
  }

  private static func check(
    _ closing: DatedSeries<ClosingFee>, _ json: CheckedJSON,
    against referral: DatedSeries<ReferralTable>
  ) throws(DataFileError) {
    let known = Set(referral.periods.flatMap { $0.value.rules.keys })
    for period in closing.periods {
      for category in period.value.categories.sorted() where !known.contains(category) {
        throw json.fault(.unknown("there is no category “\(category)”"))
      }
    }
  }

  private static func referralTable(_ json: CheckedJSON) throws(DataFileError) -> ReferralTable {
    try json.allow("from", "until", "default", "source", "categories")
    var rules: [String: ReferralRule] = [:]
    var categories: [String: String] = [:]
    for element in try json.member("categories").elements() {
      try element.allow("category", "style", "minimum", "bands", "names")
      let rule = try rule(element)
      guard rules.updateValue(rule, forKey: rule.category) == nil else {
        throw element.fault(.twice(rule.category))
      }
      for name in try element.member("names").elements() {
        let text = try name.text().lowercased()
        guard categories.updateValue(rule.category, forKey: text) == nil else {
          throw name.fault(.twice(text))
        }
      }
    }
    let fallbackName = try json.member("default")
    guard let fallback = rules[try fallbackName.text()] else {
      throw fallbackName.fault(
        .unknown("there is no category “\(try fallbackName.text())”"))
    }
    return ReferralTable(
      rules: rules, fallback: fallback, categories: categories,
      source: try json.member("source").text())
  }

  private static func rule(_ json: CheckedJSON) throws(DataFileError) -> ReferralRule {
    let styleName = try json.member("style")
    guard let style = ReferralRule.Style(rawValue: try styleName.text()) else {
      throw styleName.fault(
        .unknownWord(try styleName.text(), allowed: ["flat", "whole", "marginal"]))
    }
    let bandList = try json.member("bands")
    let elements = try bandList.elements()
    if style == .flat, elements.count != 1 {
      throw bandList.fault(.count(elements.count, expected: 1))
    }
    var bands: [ReferralRule.Band] = []
    for element in elements {
      try element.allow("up_to", "rate")
      bands.append(
        ReferralRule.Band(
          upTo: try bound(element.optional("up_to"), MoneyBounds.maximum),
          rate: try element.member("rate").rate()))
    }
    try checkBounds(bands.map(\.upTo), in: bandList, of: "prices")
    return ReferralRule(
      category: try json.member("category").text(), style: style,
      minimum: try json.member("minimum").amount(), bands: bands)
  }
}

// MARK: - Fulfilment

extension FeeTableReading {
  /// The largest weight in ounces and length in hundredths of an inch that a table may name.
  private static let largest: Int64 = 1_000_000

  private static func card(_ json: CheckedJSON) throws(DataFileError) -> FulfilmentCard {
    try json.allow("from", "until", "name", "source", "dimensional_divisor", "tiers")
    let tierList = try json.member("tiers")
    var tiers: [SizeTier] = []
    for element in try tierList.elements() {
      let tier = try tier(element)
      if tiers.contains(where: { $0.name == tier.name }) { throw element.fault(.twice(tier.name)) }
      tiers.append(tier)
    }
    if let last = tiers.last, last.size != nil || last.limit != nil {
      throw tierList.fault(.hole("parcels larger than “\(last.name)” have no tier"))
    }
    return FulfilmentCard(
      name: try json.member("name").text(),
      dimensionalDivisor: try json.member("dimensional_divisor").integer(1...10_000),
      tiers: tiers, source: try json.member("source").text())
  }

  private static func tier(_ json: CheckedJSON) throws(DataFileError) -> SizeTier {
    try json.allow(
      "name", "size", "limit_oz", "limited_by", "charged_by", "minimum_side", "prices_up_to",
      "rows")
    let prices = try prices(try json.member("prices_up_to"))
    return SizeTier(
      name: try json.member("name").text(), size: try size(json.optional("size")),
      limit: try limit(json), chargedBy: try weight(try json.member("charged_by")),
      minimumSide: try bound(json.optional("minimum_side"), largest) ?? 0,
      prices: prices, rows: try rows(try json.member("rows"), bands: prices.count))
  }

  private static func prices(_ json: CheckedJSON) throws(DataFileError) -> [Int64?] {
    var prices: [Int64?] = []
    for element in try json.elements() {
      prices.append(element.value.isNull ? nil : try element.amount())
    }
    try checkBounds(prices, in: json, of: "prices")
    return prices
  }

  private static func size(_ json: CheckedJSON?) throws(DataFileError) -> SizeTier.Size? {
    guard let json else { return nil }
    try json.allow("longest", "median", "shortest", "length_and_girth")
    return SizeTier.Size(
      longest: try json.member("longest").integer(1...largest),
      median: try json.member("median").integer(1...largest),
      shortest: try json.member("shortest").integer(1...largest),
      lengthAndGirth: try bound(json.optional("length_and_girth"), largest))
  }

  private static func limit(_ json: CheckedJSON) throws(DataFileError) -> SizeTier.Limit? {
    guard let ounces = try bound(json.optional("limit_oz"), largest) else { return nil }
    return SizeTier.Limit(ounces: ounces, by: try weight(try json.member("limited_by")))
  }

  private static func weight(_ json: CheckedJSON) throws(DataFileError) -> SizeTier.Weight {
    let words = SizeTier.Weight.allCases.map(\.rawValue)
    return SizeTier.Weight(rawValue: try word(json, of: words)) ?? .shipping
  }

  private static func rows(
    _ json: CheckedJSON, bands: Int
  ) throws(DataFileError) -> [SizeTier.Row] {
    var rows: [SizeTier.Row] = []
    for element in try json.elements() {
      try element.allow("up_to_oz", "fees", "step")
      let feeList = try element.member("fees")
      var fees: [Int64] = []
      for fee in try feeList.elements() { fees.append(try fee.amount()) }
      guard fees.count == bands else { throw feeList.fault(.count(fees.count, expected: bands)) }
      rows.append(
        SizeTier.Row(
          upToOunces: try bound(element.optional("up_to_oz"), largest), fees: fees,
          step: try step(element.optional("step"))))
    }
    try checkBounds(rows.map(\.upToOunces), in: json, of: "weights")
    return rows
  }

  private static func step(_ json: CheckedJSON?) throws(DataFileError) -> SizeTier.Step? {
    guard let json else { return nil }
    try json.allow("over_oz", "every_oz", "fee")
    return SizeTier.Step(
      over: try json.member("over_oz").integer(0...largest),
      every: try json.member("every_oz").integer(1...largest),
      fee: try json.member("fee").amount())
  }

  // MARK: - Bounds

  private static func bound(
    _ json: CheckedJSON?, _ largest: Int64
  ) throws(DataFileError) -> Int64? {
    try json.map { json throws(DataFileError) in try json.integer(0...largest) }
  }

  /// Checks that bounds rise, and that the last, and no other, is open.
  private static func checkBounds(
    _ bounds: [Int64?], in json: CheckedJSON, of things: String
  ) throws(DataFileError) {
    var last: Int64 = -1
    for (index, bound) in bounds.enumerated() {
      let isLast = index == bounds.count - 1
      guard let bound else {
        guard isLast else { throw json.fault(.overlap("an open band stands before others")) }
        return
      }
      guard bound > last else {
        throw DataFileError(.notRising, at: "\(json.place)[\(index)]")
      }
      last = bound
      if isLast { throw json.fault(.hole("\(things) above \(bound) have no fee")) }
    }
  }
}
