import JSONText
import SwiftProtobuf
import TollbookEvents

/// The figures of a product as members of an object. Prices are whole numbers in the currency's minor unit; what is not
/// known is null.
extension ProductSummary {
  func writeFigures(to json: inout JSONWriter) {
    (hasAmazon ? amazon : nil).write("amazon", to: &json)
    (hasNew ? new : nil).write("new", to: &json)
    (hasUsed ? used : nil).write("used", to: &json)
    (hasFba ? fba : nil).write("fba", to: &json)
    (hasBuyBox ? buyBox : nil).write("buy_box", to: &json)
    (hasSalesRank ? salesRank : nil).write("sales_rank", to: &json)
    (hasOffersNew ? offersNew : nil).write("offers_new", to: &json)
    (hasOffersUsed ? offersUsed : nil).write("offers_used", to: &json)
    json.field("monthly_sold", hasMonthlySold ? monthlySold : nil)
    json.field("rating", hasRatingTenths ? Double(ratingTenths) / 10 : nil)
    json.field("review_count", hasReviewCount ? reviewCount : nil)
    json.field(
      "referral_fee_percent", hasReferralFeeHundredths ? Double(referralFeeHundredths) / 100 : nil)
    json.field("fba_fee", hasFbaFee ? fbaFee : nil)
    writePackage(to: &json)
  }

  private func writePackage(to json: inout JSONWriter) {
    guard hasPackageLengthMm || hasPackageWidthMm || hasPackageHeightMm || hasPackageWeightG else {
      return json.nullField("package")
    }
    json.name("package")
    json.beginObject()
    json.field("length_mm", hasPackageLengthMm ? packageLengthMm : nil)
    json.field("width_mm", hasPackageWidthMm ? packageWidthMm : nil)
    json.field("height_mm", hasPackageHeightMm ? packageHeightMm : nil)
    json.field("weight_g", hasPackageWeightG ? packageWeightG : nil)
    json.endObject()
  }
}

extension Statistic {
  /// Whether any of its values is known.
  var isKnown: Bool {
    hasCurrent || hasAverage30Days || hasAverage90Days || hasLowest || hasHighest
  }
}

extension Statistic? {
  fileprivate func write(_ name: String, to json: inout JSONWriter) {
    guard let self, self.isKnown else { return json.nullField(name) }
    json.name(name)
    json.beginObject()
    json.field("current", self.hasCurrent ? self.current : nil)
    json.field("average_30_days", self.hasAverage30Days ? self.average30Days : nil)
    json.field("average_90_days", self.hasAverage90Days ? self.average90Days : nil)
    json.field("lowest", self.hasLowest ? self.lowest : nil)
    json.field("highest", self.hasHighest ? self.highest : nil)
    json.endObject()
  }
}
