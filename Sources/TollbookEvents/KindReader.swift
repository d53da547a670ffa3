/// Tells the kinds of resources: one is mostly of the same kind as the one before it.
package struct KindReader {
  /// What the last resource began with, up to what names it within its kind.
  private var prefix: [UInt8] = []
  private var kind = ""

  package init() {}

  package mutating func kind(of resource: String) -> String {
    if !prefix.isEmpty, resource.utf8.starts(with: prefix) { return kind }
    let key = ResourceKey(stored: resource)
    kind = key.kind
    let length = resource.utf8.count - key.path.utf8.count
    // A key without two slashes has no kind, or all of it names one.
    prefix = key.path.isEmpty ? [] : Array(resource.utf8.prefix(length))
    return kind
  }
}
