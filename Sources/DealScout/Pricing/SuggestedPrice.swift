import JSONText
import TollbookEvents

/// A price that is suggested on a marketplace, or why none is, as it is shown.
struct SuggestedPrice: Hashable, Sendable {
  let answer: PricingAnswer
  let condition: ConditionGroup?
  let marketplace: EbayMarketplace

  /// Why no price is suggested; nil: one is.
  var why: String? {
    guard let refusal = answer.refusal else { return nil }
    guard case .tooFew(_, comparables: nil, _, _) = refusal else { return "\(refusal)" }
    return "\(refusal); listings are not used: eBay has not agreed that prices are suggested by"
      + " them (EBAY_MODELLING_CONSENT)"
  }

  /// Amounts are decimal text in the currency of the marketplace.
  func writeMembers(to json: inout JSONWriter) {
    let suggestion = answer.suggestion
    json.field("marketplace", marketplace.id)
    json.field("condition", condition?.rawValue)
    if let suggestion {
      json.object("suggested") { json in
        write(suggestion.typical, to: &json)
        json.field("currency", suggestion.currency)
        json.object("quick") { json in write(suggestion.quick, to: &json) }
        json.object("patient") { json in write(suggestion.patient, to: &json) }
      }
      json.field("confidence", suggestion.confidence.rawValue)
      json.object("basis") { json in suggestion.basis.writeMembers(to: &json) }
    } else {
      for name in ["suggested", "confidence", "basis"] { json.nullField(name) }
    }
    json.field("why", why)
    json.field("reason", answer.refusal?.name)
  }

  private func write(_ price: PriceSuggestion.Price, to json: inout JSONWriter) {
    json.field("amount", text(price.total))
    json.field("net", price.net.map(text))
  }

  /// What is left after high fees can be less than nothing.
  private func text(_ minorUnits: Int64) -> String {
    let amount = EbayMoney(minorUnits: abs(minorUnits), marketplace.currency)?.plainText ?? "0"
    return minorUnits < 0 ? "-\(amount)" : amount
  }
}

extension PriceSuggestion.Basis {
  func writeMembers(to json: inout JSONWriter) {
    json.field("rule", rule.rawValue)
    json.field("own_sales", ownSales)
    json.field("own_sales_without_shipping", ownSalesWithoutShipping)
    json.field("comparables", comparables)
    json.field("sold_comparables", soldComparables)
    json.field("licence", licence?.rawValue)
    json.field("used", statistics.kept)
    json.field("outliers", statistics.dropped)
    json.field("outlier_rule", statistics.method.rawValue)
    json.field("oldest", oldest.description)
    json.field("newest", newest.description)
  }

  /// For a person, the weightiest first.
  var sentences: [String] {
    var counted: [String] = []
    if ownSales > 0 { counted.append("\(ownSales.of("sale")) of yours") }
    if comparables > 0 { counted.append("\(comparables.of("listing")) of others") }
    var sentences = ["\(counted.joined(separator: " and ")), from \(oldest) to \(newest)."]
    if statistics.dropped > 0 {
      sentences.append("\(statistics.dropped.grouped) of them lay too far out and do not count.")
    }
    if comparables > soldComparables {
      sentences.append("Listings tell what is asked, and not what is paid.")
    }
    if ownSalesWithoutShipping > 0 {
      sentences.append(
        "\(ownSalesWithoutShipping.of("sale")) of yours count without shipping: it is not known.")
    }
    switch rule {
    case .gtin: sentences.append("They are of the same product by its bar code.")
    case .epid: sentences.append("They are of the same product by eBay's catalogue.")
    case .title: sentences.append("They are of the same product by the words of their titles.")
    }
    switch licence {
    case .simulated: sentences.append("The listings are invented: eBay is simulated.")
    case .consent: sentences.append("You declare that eBay has agreed to this use of listings.")
    case nil: break
    }
    return sentences
  }
}

extension PricingRefusal {
  /// For programs.
  fileprivate var name: String {
    switch self {
    case .unknownProduct: "unknown_product"
    case .unknownCondition: "unknown_condition"
    case .excluded: "excluded"
    case .tooFew: "too_few"
    }
  }
}
