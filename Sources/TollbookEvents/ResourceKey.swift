/// The name of one cacheable thing: `scope/kind/path`, such as `shared/keepa.product/1/B09T2ZLMHB`.
///
/// Two are the same if their bytes are, as in the tables. To Swift two texts are equal that look alike, such as an é in
/// one character and in two.
package struct ResourceKey: Hashable, Sendable, CustomStringConvertible {
  package let description: String

  /// A key that every account reads.
  package init(shared kind: String, path: String) { description = "shared/\(kind)/\(path)" }

  /// A key as written in an event, without checking it.
  package init(stored text: String) { description = text }

  /// The class of resources that it belongs to, such as `keepa.product`; empty if the key has none.
  package var kind: String {
    let parts = description.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
    return parts.count > 1 ? String(parts[1]) : ""
  }

  /// What names the resource within its kind, such as `1/B09T2ZLMHB`.
  package var path: Substring {
    let parts = description.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
    return parts.count > 2 ? parts[2] : ""
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
