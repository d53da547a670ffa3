package import TollbookGateway
package import TollbookHTTP

/// What the seller's desk keeps for an account: all of it sealed with the account's data key, and sold by nobody.
package enum SellerKinds {
  /// A photo: what it is and when it came. The picture itself lies in ``PhotoStore``.
  static let photo = "ebay.photo"
  /// What a job is to look at.
  static let snapOrder = "ebay.snapOrder"
  /// What a job has found.
  static let snap = "ebay.snap"
  static let draft = "ebay.draft"
  /// Sales of the account's own, many together.
  static let sales = "ebay.sales"

  /// Ten years of 365 days, in milliseconds: longer than anything is needed. It goes when its account says so.
  private static let long: Int64 = 3_650 * 86_400_000
  /// What a job is to look at is of no use much longer than the job goes on trying, which is a day.
  private static let short: Int64 = 7 * 86_400_000

  package static let all: [ResourceKind] = [
    kind(photo, long), kind(snapOrder, short), kind(snap, long), kind(draft, long),
    kind(sales, long),
  ]

  /// How they are called where entries are shown.
  package static let shown: [String: HTTPSystem.Kind] = [
    photo: HTTPSystem.Kind("photo of a seller", isBought: false),
    snapOrder: HTTPSystem.Kind("photos that wait for a model", isBought: false),
    snap: HTTPSystem.Kind("what a model found in photos", isBought: false),
    draft: HTTPSystem.Kind("draft of a listing", isBought: false),
    sales: HTTPSystem.Kind("sales of a seller's own", isBought: false),
  ]

  /// - Parameter time: how long it is kept, in milliseconds.
  private static func kind(_ name: String, _ time: Int64) -> ResourceKind {
    var policy = FreshnessPolicy()
    policy.present = FreshnessWindows(fresh: time, grace: 0, errorGrace: 0, keep: time)
    return ResourceKind(name, freshness: policy, isSealed: true, isBought: false)
  }
}
