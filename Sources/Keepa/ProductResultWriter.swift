import JSONText
import SwiftProtobuf
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookUpstreams
import TollbookViews

/// Writes one result of a batch after the other. The hot path of every cached answer: no text is made that is not
/// written.
struct ProductResultWriter {
  private let domain: KeepaDomain
  private let now: Timestamp
  private var instants = InstantText()
  /// How far a product of a job is; nil: it is not one of a job.
  var status: String?

  init(domain: KeepaDomain, now: Timestamp) {
    self.domain = domain
    self.now = now
  }

  /// A text that cannot be an ASIN.
  mutating func write(invalid text: String, to json: inout JSONWriter) {
    write(text, failed: "invalid_asin", "\(ASINFault(text))", to: &json)
  }

  /// A product of which the gateway says nothing. It should not happen; if it does, the other places stay where they are.
  mutating func write(unanswered asin: KeepaASIN, to json: inout JSONWriter) {
    write(asin.description, failed: "internal_error", "nothing is known about it", to: &json)
  }

  /// A product that is to be bought yet.
  mutating func write(waiting asin: KeepaASIN, to json: inout JSONWriter) {
    json.object { json in
      begin(asin.description, source: ProductOutcome.Source.none.rawValue, &json)
      json.field("tokens", 0)
      json.nullField("error")
    }
  }

  mutating func write(
    _ asin: String, failed reason: String, _ detail: String, to json: inout JSONWriter
  ) {
    json.beginObject()
    begin(asin, source: ProductOutcome.Source.none.rawValue, &json)
    json.field("tokens", 0)
    writeError(reason, detail, retryAt: nil, &json)
    json.endObject()
  }

  /// What became of a product.
  ///
  /// - Parameter isFirst: whether no earlier place of the list named the same product: then this one tells its cost.
  mutating func write(
    _ outcome: ProductOutcome, isFirst: Bool, to json: inout JSONWriter
  ) {
    let tokens = isFirst ? outcome.paid : 0
    json.beginObject()
    begin(outcome.asin.description, source: outcome.source.rawValue, &json)
    if let entry = outcome.entry {
      let product = entry.isPresent ? product(entry, &json) : nil
      writeEntry(entry, tokens: tokens, &json)
      if let product { json.array("not_bought", notBought(product, entry)) }
    } else {
      json.field("tokens", tokens)
    }
    json.fieldIfPresent(
      "tokens_in_doubt", isFirst && outcome.inDoubt > 0 ? outcome.inDoubt : nil)
    if let problem = outcome.problem {
      writeError(
        problem.reason.rawValue, problem.detail, problem.budget, retryAt: problem.retryAt, &json)
    } else if outcome.entry?.isPresent == false {
      writeError("not_found", "Keepa does not know this ASIN", retryAt: nil, &json)
    } else {
      json.nullField("error")
    }
    json.endObject()
  }

  private func begin(_ asin: String, source: String, _ json: inout JSONWriter) {
    json.field("asin", asin)
    json.field("domain", domain.rawValue)
    json.fieldIfPresent("status", status)
    json.field("source", source)
  }

  // MARK: The product

  /// Writes the product's fields and returns what they were read from.
  private mutating func product(
    _ entry: CacheEntry, _ json: inout JSONWriter
  ) -> ProductSummary {
    // An entry whose summary cannot be read shows no fields; its body is served all the same.
    let summary = (try? ProductSummary(serializedBytes: entry.summary)) ?? ProductSummary()
    json.field("title", summary.hasTitle ? summary.title : nil)
    json.field("brand", summary.hasBrand ? summary.brand : nil)
    json.field("manufacturer", summary.hasManufacturer ? summary.manufacturer : nil)
    json.field("root_category", summary.hasRootCategory ? summary.rootCategory : nil)
    json.field("root_category_name", summary.hasRootCategoryName ? summary.rootCategoryName : nil)
    json.field("image", summary.hasImage ? summary.image : nil)
    json.field("currency", domain.currency)
    summary.writeFigures(to: &json)
    return summary
  }

  /// The gated parts that are null because they cost extra.
  private func notBought(_ summary: ProductSummary, _ entry: CacheEntry) -> [String] {
    let bought = ContentSet(keepa: entry.contentSet)
    var names: [String] = []
    if !bought.covers(.rating) && !(summary.hasRatingTenths && summary.hasReviewCount) {
      names.append("rating")
    }
    if !bought.covers(.buyBox) && !(summary.hasBuyBox && summary.buyBox.isKnown) {
      names.append("buybox")
    }
    if !bought.covers(.offers) && !(summary.hasFba && summary.fba.isKnown) {
      names.append("offers")
    }
    return names
  }

  // MARK: The entry

  private mutating func writeEntry(
    _ entry: CacheEntry, tokens: Int64, _ json: inout JSONWriter
  ) {
    if let updated = entry.upstreamUpdated {
      json.rawField("keepa_last_update", instants.quoted(updated))
    } else {
      json.nullField("keepa_last_update")
    }
    json.rawField("fetched_at", instants.quoted(entry.fetched))
    json.rawField("expires_at", instants.quoted(entry.freshUntil))
    json.field("age_seconds", entry.ageSeconds(at: now))
    json.field("hit_count", entry.hits)
    json.field("tokens", tokens)
  }

  private mutating func writeError(
    _ reason: String, _ detail: String, _ budget: BudgetRefusal? = nil, retryAt: Timestamp?,
    _ json: inout JSONWriter
  ) {
    json.name("error")
    json.beginObject()
    json.field("reason", reason)
    json.field("detail", detail)
    budget?.write(to: &json)
    json.field("retry_at", retryAt)
    json.endObject()
  }
}
