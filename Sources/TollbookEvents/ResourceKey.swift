/// The name of one cacheable thing: `shared/kind/path`, such as `shared/keepa.product/1/B09T2ZLMHB`, or for what belongs
/// to an account `account/name/kind/path`.
///
/// Two are the same if their bytes are, as in the tables. To Swift two texts are equal that look alike, such as an é in
/// one character and in two.
package struct ResourceKey: Hashable, Sendable, CustomStringConvertible {
  package let description: String

  /// A key that every account reads.
  package init(shared kind: String, path: String) { description = "shared/\(kind)/\(path)" }

  /// A key as written in an event, without checking it.
  package init(stored text: String) { description = text }

  /// A key that one account reads.
  package init(account: String, kind: String, path: String) {
    description = "account/\(account)/\(kind)/\(path)"
  }

  /// The class of resources that it belongs to, such as `keepa.product`; empty if the key has none.
  package var kind: String { String(kindAndPath.first ?? "") }

  /// What names the resource within its kind, such as `1/B09T2ZLMHB`.
  package var path: Substring {
    let parts = kindAndPath
    return parts.count > 1 ? parts[1] : ""
  }

  private var kindAndPath: [Substring] {
    let parts = description.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count > 1 else { return [] }
    guard parts[0] == "account" else {
      return parts[1].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    }
    return Array(
      parts[1].split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false).dropFirst())
  }

  package static func == (left: ResourceKey, right: ResourceKey) -> Bool {
    let (left, right) = (left.description.utf8Span.span, right.description.utf8Span.span)
    guard left.count == right.count else { return false }
    for index in left.indices where left[index] != right[index] { return false }
    return true
  }

  // Texts of the same bytes are equal, and so have the same hash.
  package func hash(into hasher: inout Hasher) { hasher.combine(description) }
}
