import TollbookEvents
package import TollbookGateway

/// Windows to be tried on the recorded demand, and what they are called.
package struct WhatIfPolicy: Hashable, Sendable {
  /// As it was written.
  package var name: String
  package var products: FreshnessPolicy

  package init(name: String, products: FreshnessPolicy) {
    self.name = name
    self.products = products
  }

  /// What is wrong with the text of a policy.
  package struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
  }

  private static let names = [
    "fresh", "grace", "errorgrace", "keep", "absent.fresh", "absent.grace", "absent.errorgrace",
    "absent.keep",
  ]

  /// Reads `atlas.place.fresh=14d,grace=1d`: windows, separated by commas; the kind may be left out after the first.
  ///
  /// - Parameters:
  ///   - kind: the class of resources whose windows can be set.
  ///   - base: the windows of which nothing is said.
  package init(
    _ text: String, of kind: WhatIfKind, base: FreshnessPolicy
  ) throws(Problem) {
    let kind = kind.name
    name = text
    products = base
    var hasKind = false
    var seen: Set<String> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard sides.count == 2 else {
        throw Problem(
          description: "“\(part)” of the policy “\(text)” sets nothing; write fresh=3d")
      }
      let path = Self.trimmed(sides[0])
      let window = try Self.window(path, of: kind, hasKind: hasKind)
      hasKind = true
      guard seen.insert(window).inserted else {
        throw Problem(description: "the policy “\(text)” sets \(window) twice")
      }
      try set(window, to: Self.milliseconds(Self.trimmed(sides[1]), of: path))
    }
    try check()
  }

  /// The kind that a policy names.
  ///
  /// - Parameter kinds: those that can be tried.
  package static func kind(
    of text: String, among kinds: [WhatIfKind]
  ) throws(Problem) -> WhatIfKind {
    let first = text.prefix { $0 != "," }.split(separator: "=", omittingEmptySubsequences: false)
    let path = trimmed(first.first ?? "")
    let named = kinds.filter { path.hasPrefix($0.name + ".") }
    if let kind = named.max(by: { $0.name.utf8.count < $1.name.utf8.count }) { return kind }
    guard let any = kinds.first else {
      throw Problem(description: "there is nothing that could be tried with other windows")
    }
    guard first.count > 1, !names.contains(path) else {
      _ = try WhatIfPolicy(text, of: any, base: any.standard)
      return any
    }
    let parts = path.split(separator: ".", omittingEmptySubsequences: false)
    throw Problem(
      description: "“\(parts.prefix(2).joined(separator: "."))” is no kind that is known; there are"
        + " \(kinds.map(\.name).joined(separator: ", "))")
  }

  /// The window's name without the kind.
  private static func window(
    _ path: String, of kind: String, hasKind: Bool
  ) throws(Problem) -> String {
    if path.hasPrefix(kind + ".") {
      let window = String(path.dropFirst(kind.count + 1))
      guard names.contains(window) else { throw unknown(window, kind) }
      return window
    }
    if hasKind, names.contains(path) { return path }
    // A name alone says that the kind is missing; anything else names a kind that is not known.
    if names.contains(path) {
      throw Problem(description: "“\(path)” names no kind; write \(kind).\(path)")
    }
    let parts = path.split(separator: ".", omittingEmptySubsequences: false)
    let named = parts.prefix(2).joined(separator: ".")
    guard parts.count > 2 || !hasKind else { throw unknown(path, kind) }
    throw Problem(description: "“\(named)” is no kind that is known; there is \(kind)")
  }

  private static func unknown(_ window: String, _ kind: String) -> Problem {
    Problem(
      description: "“\(window)” is no window of \(kind); there are \(names.joined(separator: ", "))"
    )
  }

  private static func milliseconds(_ text: String, of path: String) throws(Problem) -> Int64 {
    let seconds: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
    if text.hasPrefix("-") {
      throw Problem(description: "\(path) is \(text): a window cannot be negative")
    }
    let digits = text.dropLast()
    guard let unit = text.last.flatMap({ seconds[$0] }), !digits.isEmpty,
      digits.allSatisfy({ $0.isASCII && $0.isNumber }), let count = Int64(digits)
    else {
      throw Problem(description: "\(path) is “\(text)”; write 7d, 12h, 30m or 90s")
    }
    let century: Int64 = 36_525 * 86_400
    guard count <= century / unit else {
      throw Problem(description: "\(path) is \(text): longer than a century")
    }
    return count * unit * 1_000
  }

  private static func trimmed(_ text: Substring) -> String {
    String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }

  private mutating func set(_ window: String, to value: Int64) {
    switch window {
    case "fresh": products.present.fresh = value
    case "grace": products.present.grace = value
    case "errorgrace": products.present.errorGrace = value
    case "keep": products.present.keep = value
    case "absent.fresh": products.absent.fresh = value
    case "absent.grace": products.absent.grace = value
    case "absent.errorgrace": products.absent.errorGrace = value
    default: products.absent.keep = value
    }
  }

  /// Windows that contradict each other. What is kept for a shorter time than it is fresh is kept as long as it is fresh
  /// only if nobody said otherwise.
  private mutating func check() throws(Problem) {
    if products.present.keep < products.present.fresh {
      guard !name.contains("keep=") else {
        throw Problem(
          description: "the policy “\(name)” keeps entries for a shorter time than they are fresh")
      }
      products.present.keep = products.present.fresh
    }
  }
}
