import TollbookEvents

/// Drafts as a table for eBay's bulk upload: the columns of its template for drafts (Seller Hub, Reports, Upload).
///
/// * `Action(SiteID=…|Country=…|Currency=…|Version=1193|CC=UTF-8)`: `Draft` on each line. The heading names the site,
///   so that all lines are of one.
/// * `Custom label (SKU)`: the draft's id.
/// * `Category ID`: empty where none was given.
/// * `Title`, `UPC` (the GTIN), `Price`, `Quantity`.
/// * `Item photo URL`: empty, since eBay cannot reach photos that lie here. They are added at eBay.
/// * `Condition ID`: by eBay's numbers.
/// * `Description`: on one line. `Format`: `FixedPrice`.
///
/// What a spreadsheet would take for a formula is written as text: see `CSVCell`.
enum DraftCSV {
  private static let names = [
    "Custom label (SKU)", "Category ID", "Title", "UPC", "Price", "Quantity", "Item photo URL",
    "Condition ID", "Description", "Format",
  ]

  /// - Parameter drafts: all of one marketplace.
  static func table(_ drafts: [Draft], of marketplace: EbayMarketplace) -> String {
    let action =
      "Action(SiteID=\(marketplace.siteName)|Country=\(marketplace.country)"
      + "|Currency=\(marketplace.currency)|Version=1193|CC=UTF-8)"
    let rows = [[action] + names] + drafts.map(row)
    return rows.map { $0.map(CSVCell.quoted).joined(separator: ",") + "\r\n" }.joined()
  }

  private static func row(_ draft: Draft) -> [String] {
    let content = draft.content
    return [
      "Draft", draft.id, content.category ?? "", content.title, content.gtin ?? "",
      content.price.plainText, String(draft.left), "", String(content.condition.ebay.rawValue),
      content.description ?? "", "FixedPrice",
    ]
  }
}

extension EbayMarketplace {
  /// What eBay's tables call it. Source: eBay's Trading API, `SiteCodeType`.
  fileprivate var siteName: String {
    switch self {
    case .australia: "Australia"
    case .austria: "Austria"
    case .belgium: "Belgium_French"
    case .canada: "Canada"
    case .france: "France"
    case .germany: "Germany"
    case .greatBritain: "UK"
    case .hongKong: "HongKong"
    case .ireland: "Ireland"
    case .italy: "Italy"
    case .netherlands: "Netherlands"
    case .poland: "Poland"
    case .singapore: "Singapore"
    case .spain: "Spain"
    case .switzerland: "Switzerland"
    case .unitedStates: "US"
    }
  }
}
