/// What all offers of a product have in common. No two that differ in it are of the same product, though those that share
/// it need not be: ``ProductGroups`` tells that.
enum ProductFamily: Hashable, Sendable {
  /// Of a GTIN or of the catalogue.
  case number(ProductKey)
  /// The numbers and the telling words of a title.
  case identity(Substring)
  /// Without a number titles are the same product only if all their words are the same.
  case wording(TitleKey)
  /// Nobody can tell which product they are.
  case unknown

  init(_ key: ProductKey?) {
    guard let key else {
      self = .unknown
      return
    }
    guard case .title(let title) = key else {
      self = .number(key)
      return
    }
    self = title.hasNumber ? .identity(title.identityText) : .wording(title)
  }
}
