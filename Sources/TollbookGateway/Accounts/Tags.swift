import TollbookEvents

/// Why tags are not taken.
package struct TagProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// For a person.
  package var description: String
}

/// What a request is for, beside who pays: `branch=TEST`, `user=ann`.
package enum Tags {
  package static let most = 8
  /// Of a whole tag, in bytes.
  package static let longest = 64
  /// Tags of these names are Tollbook's own: of a job, and of a second look at a document. No request brings them, and a
  /// budget may be for them.
  private static let own = ["job", "look"]

  /// Reads `branch=TEST,user=ann`.
  ///
  /// - Returns: the tags in their order, as events hold them.
  package static func list(_ text: String) throws(TagProblem) -> [String] {
    guard text.contains(where: { $0 != " " }) else { return [] }
    var found: [String: String] = [:]
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let trimmed = part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
      let tag = try checked(String(trimmed))
      let name = String(tag.prefix { $0 != "=" })
      guard !own.contains(name) else {
        throw TagProblem(description: "the tag \(name) is Tollbook's own")
      }
      guard found.updateValue(tag, forKey: name) == nil else {
        throw TagProblem(description: "the tag \(name) stands twice; send one of them")
      }
      guard found.count <= most else {
        throw TagProblem(description: "there are more than \(most) tags")
      }
    }
    return found.values.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// A tag that may be one.
  static func checked(_ tag: String) throws(TagProblem) -> String {
    let shown = tag.inOneLine(atMost: 80)
    guard tag.utf8.count <= longest else {
      throw TagProblem(
        description: "the tag “\(shown)” has \(tag.utf8.count) bytes; \(longest) are allowed")
    }
    let parts = tag.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty,
      parts[0].utf8.allSatisfy(isPossible)
    else {
      throw TagProblem(
        description: "“\(shown)” is no tag; a tag is NAME=VALUE, and its name of a–z, 0–9, - and _")
    }
    guard !tag.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) else {
      throw TagProblem(description: "the tag “\(shown)” has a control character in it")
    }
    return tag
  }

  private static func isPossible(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
