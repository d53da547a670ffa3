/// The name of one cacheable thing: `scope/kind/path`, such as `shared/keepa.product/1/B09T2ZLMHB`.
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
}
