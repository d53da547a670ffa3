/// The paths that Keepa answers, and how their calls are read (fact sheet, section 5).
enum KeepaEndpoint: String, CaseIterable, Sendable {
  case token, product, bestsellers, query, category, search, deal, seller, topseller
  case lightningdeal, graphimage, tracking

  /// The endpoint at a path; a slash at the end makes no difference.
  init?(path: String) {
    guard path.hasPrefix("/") else { return nil }
    let name = path.dropFirst()
    self.init(rawValue: String(name.hasSuffix("/") ? name.dropLast() : name))
  }

  /// Reads a call; throws what Keepa answers with a 400.
  func call(_ parameters: KeepaParameters) throws(KeepaRejection) -> any KeepaCall {
    switch self {
    case .token: TokenCall()
    case .product: try ProductCall(query: ProductQuery(parameters))
    case .bestsellers: try BestSellersCall(parameters)
    case .query: try FinderCall(parameters)
    case .category: try CategoryCall(parameters)
    case .search:
      switch parameters["type"] {
      case "category": try CategorySearchCall(parameters)
      case "product": try ProductSearchCall(parameters)
      default: throw KeepaRejection(details: "type must be category or product")
      }
    case .deal: try DealCall(parameters)
    case .seller: try SellerCall(parameters)
    case .topseller: try TopSellerCall(parameters)
    case .lightningdeal: try LightningDealCall(parameters)
    case .graphimage: try GraphCall(parameters)
    case .tracking: try TrackingCall(parameters)
    }
  }
}

/// `/token`: the envelope alone, free.
struct TokenCall: KeepaCall {
  func work(in world: inout KeepaWorld, _ moment: KeepaMoment) -> KeepaWork {
    KeepaWork(tokens: 0)
  }
}
