/// Which of the parts that cost extra a body holds, or a request asks for. What each bit means is
/// the upstream's: see the constants of its adapter. The empty set is the plain body.
///
/// The raw value is stored in events (`content_set`): a bit never changes its meaning.
package struct ContentSet: OptionSet, Hashable, Sendable {
  package let rawValue: UInt64

  package init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Nothing that costs extra.
  package static let plain: ContentSet = []

  /// Whether a body with these parts answers a request for `wanted`: a richer body serves a poorer
  /// request.
  package func covers(_ wanted: ContentSet) -> Bool { isSuperset(of: wanted) }
}
