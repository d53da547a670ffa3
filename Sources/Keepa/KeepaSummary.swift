package import JSONText
package import TollbookEvents

/// What a list shows of a product, taken from Keepa's product object (fact sheet, section 6). Its
/// texts are cut to a bound: they stand in the log, and in every list.
package enum KeepaSummary {
  /// Reads a product object. A field that is missing, null or one of Keepa's sentinels (-1 none, -2
  /// not collected) is not set; so is 0 where Keepa writes it for unknown (fees, dimensions, units
  /// sold).
  package static func read(_ product: JSONValue) -> ProductSummary {
    var summary = ProductSummary()
    readTexts(product, &summary)
    readHistories(KeepaHistories(product), &summary)
    readFigures(product, &summary)
    return summary
  }

  private static func readTexts(_ product: JSONValue, _ summary: inout ProductSummary) {
    if let text = text(product["title"]) { summary.title = text }
    if let text = text(product["brand"]) { summary.brand = text }
    if let text = text(product["manufacturer"]) { summary.manufacturer = text }
    if let image = image(product) { summary.image = image }
    // 0 is none; the largest Int64 is Keepa's "unknown" (fact sheet, section 6, deals).
    if let root = product["rootCategory"]?.uint64, root > 0, root != UInt64(Int64.max) {
      summary.rootCategory = root
      let node = product["categoryTree"]?.array?.first { $0["catId"]?.uint64 == root }
      if let name = text(node?["name"]) { summary.rootCategoryName = name }
    }
  }

  private static func readHistories(
    _ histories: KeepaHistories, _ summary: inout ProductSummary
  ) {
    if let value = histories.statistic(.amazon) { summary.amazon = value }
    if let value = histories.statistic(.new) { summary.new = value }
    if let value = histories.statistic(.used) { summary.used = value }
    if let value = histories.statistic(.newFBA) { summary.fba = value }
    if let value = histories.buyBox { summary.buyBox = value }
    if let value = histories.statistic(.salesRank) { summary.salesRank = value }
    if let value = histories.statistic(.countNew) { summary.offersNew = value }
    if let value = histories.statistic(.countUsed) { summary.offersUsed = value }
    if let value = histories.current(.rating) { summary.ratingTenths = value }
    if let value = histories.current(.countReviews) { summary.reviewCount = value }
  }

  private static func readFigures(_ product: JSONValue, _ summary: inout ProductSummary) {
    if let units = positive(product["monthlySold"]) { summary.monthlySold = units }
    if let fee = referralFee(product) { summary.referralFeeHundredths = fee }
    if let fee = positive(product["fbaFees"]?["pickAndPackFee"]) { summary.fbaFee = fee }
    if let length = positive(product["packageLength"]) { summary.packageLengthMm = length }
    if let width = positive(product["packageWidth"]) { summary.packageWidthMm = width }
    if let height = positive(product["packageHeight"]) { summary.packageHeightMm = height }
    if let weight = positive(product["packageWeight"]) { summary.packageWeightG = weight }
  }

  /// The file name of the first image: the large one if there is one, else the middle one; in
  /// bodies from before 2026 the first of `imagesCSV`.
  private static func image(_ product: JSONValue) -> String? {
    let first = product["images"]?[0]
    if let name = text(first?["l"]) ?? text(first?["m"]) { return name }
    let names = product["imagesCSV"]?.string?.split(separator: ",", maxSplits: 1)
    return names?.first.map { $0.inOneLine(atMost: KeepaLimits.text) }
  }

  /// `referralFeePercentage` is a float of a percent, `referralFeePercent` the older whole one.
  private static func referralFee(_ product: JSONValue) -> Int64? {
    let percent =
      product["referralFeePercentage"]?.double ?? product["referralFeePercent"]?.double ?? 0
    let hundredths = Int64(exactly: (percent * 100).rounded()) ?? 0
    return hundredths > 0 ? hundredths : nil
  }

  private static func text(_ value: JSONValue?) -> String? {
    let line = value?.string?.inOneLine(atMost: KeepaLimits.text)
    return line.flatMap { $0.isEmpty ? nil : $0 }
  }

  private static func positive(_ value: JSONValue?) -> Int64? {
    value?.int64.flatMap { $0 > 0 ? $0 : nil }
  }
}
