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

  /// The longest key, in bytes: tables name an entry by its key and the parts that it holds.
  package static let mostBytes = 400

  /// Whether it can name a resource in a table: not too long, and without steps or characters that nobody could see.
  package var isPossible: Bool {
    var length = 0
    var slashes = 0
    var step = 0
    var isOfDots = true
    for byte in description.utf8 {
      length += 1
      guard byte >= 0x20, byte != 0x7F, length <= Self.mostBytes else { return false }
      if byte == UInt8(ascii: "/") {
        if isOfDots, step < 3 { return false }
        slashes += 1
        step = 0
        isOfDots = true
      } else {
        step += 1
        if byte != UInt8(ascii: ".") { isOfDots = false }
      }
    }
    // Behind the scope and the kind, and of an account its name, stands a path.
    let least = description.utf8.starts(with: "account/".utf8) ? 3 : 2
    return !(isOfDots && step < 3) && slashes >= least
  }

  /// What is wrong with one that is not possible.
  package var fault: String {
    "“\(description.inOneLine(atMost: 100))” cannot name a resource: it has at most"
      + " \(Self.mostBytes) bytes, no control character, and no step that is empty or of dots"
  }

  /// The class of resources that it belongs to, such as `keepa.product`; empty if the key has none.
  package var kind: String { String(parts.kind) }

  /// The account that alone reads it; nil: every account does.
  package var account: String? {
    var rest = description[...]
    guard let scope = rest.takeFirst(), scope.utf8.elementsEqual("account".utf8) else { return nil }
    return rest.takeFirst().map { String($0) }
  }

  /// What names the resource within its kind, such as `1/B09T2ZLMHB`.
  package var path: Substring { parts.path }

  private var parts: (kind: Substring, path: Substring) {
    var rest = description[...]
    guard let scope = rest.takeFirst() else { return ("", "") }
    if scope.utf8.elementsEqual("account".utf8), rest.takeFirst() == nil { return ("", "") }
    guard let kind = rest.takeFirst() else { return (rest, "") }
    return (kind, rest)
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

extension Substring {
  /// Takes off what stands before the first slash, and the slash; nil if there is none.
  fileprivate mutating func takeFirst() -> Substring? {
    guard let slash = utf8.firstIndex(of: UInt8(ascii: "/")) else { return nil }
    defer { self = self[utf8.index(after: slash)...] }
    return self[..<slash]
  }
}
