import TollbookEvents

/// How many tokens a document takes at most.
enum DocumentTokens {
  /// By its pages or as an image, as the table of models says of the finest media resolution.
  ///
  /// - Returns: nil if nobody knows.
  static func most(_ type: String, _ content: () -> [UInt8], _ model: GeminiModels.Model) -> Int64?
  {
    if type.hasPrefix("image/") { return model.imageTokens }
    guard type == "application/pdf" else { return nil }
    let limits = DocumentLimits(bytes: 1 << 30)
    let facts = try? DocumentFacts(of: content(), declared: type, limits: limits)
    return facts.map { Int64($0.pages) * model.pageTokens }
  }
}
