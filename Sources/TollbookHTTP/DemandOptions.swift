package import Hummingbird
import TollbookEvents
package import TollbookGateway

/// What a client of a provider's wire format wants of Tollbook itself: in the base path, such as
/// `/atlas/~max-tokens=50,fresh=24h,stale=allow/places`, or in headers such as `Tollbook-Max-Tokens`.
package struct DemandOptions: Hashable, Sendable {
  package enum Priority: String, CaseIterable, Sendable { case interactive, background }

  /// What is wrong with an option, in a sentence.
  package struct Fault: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
  }

  /// The most that the request may cost.
  package var maximumTokens: Int64?
  package var priority = Priority.interactive
  /// How old what is cached may be, in milliseconds; nil: what the windows say.
  package var fresh: Int64?
  /// Whether what is past its time answers where nothing better can be had.
  package var allowsStale = false
  /// What the request is for; empty: what the header Tollbook-Tags says.
  package var tags: [String] = []

  /// Whether it is answered from the cache, where a system leaves that to who asks; nil: nothing is said.
  package var cache: Bool?

  private static let names = ["max-tokens", "priority", "fresh", "stale", "tags"]
  private static let cacheName = "cache"
  /// Those that only some systems leave to who asks, too.
  static let allNames = names + [cacheName]

  package init() {}

  /// The header that an option may stand in.
  static func header(_ name: String) -> HeaderName? { HeaderName("Tollbook-\(name)") }

  /// What the step of a path that options stand in says, such as `~fresh=24h`; clients may encode it, the `~` too.
  ///
  /// - Returns: nil: it is no such step.
  package static func text(ofStep step: String) -> String? {
    let step = percentDecoded(step) ?? step
    return step.first == "~" ? String(step.dropFirst()) : nil
  }

  /// - Parameters:
  ///   - path: what stands between `~` and the next slash; nil: nothing.
  ///   - choosesCache: whether `cache` is an option too: `on` or `off`.
  package init(
    path: String?, _ headers: HTTPFields, choosesCache: Bool = false
  ) throws(Fault) {
    let names = choosesCache ? Self.allNames : Self.names
    var items: [(name: String, value: String, from: String)] = []
    for name in names {
      if let header = Self.header(name), let value = headers[header] {
        items.append((name, value, "the header Tollbook-\(name)"))
      }
    }
    for item in path?.split(separator: ",") ?? [] {
      let parts = item.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else {
        throw Fault(description: "“\(item.prefix(50))” in the path is no option; write name=value")
      }
      items.append((parts[0], parts[1], "the path"))
    }
    var seen: Set<String> = []
    for (name, value, place) in items {
      // Of two limits one would be lost.
      guard seen.insert(name).inserted else {
        throw Fault(description: "\(name.inOneLine(atMost: 50)) is said twice, once in \(place)")
      }
      try set(name, value, place, names)
    }
  }

  private mutating func set(
    _ name: String, _ text: String, _ place: String, _ names: [String]
  ) throws(Fault) {
    let value = text.lowercased()
    func wrong(_ what: String) -> Fault {
      Fault(description: "\(name) in \(place) is “\(value.inOneLine(atMost: 50))”; it is \(what)")
    }
    switch name {
    case "max-tokens":
      guard let number = Int64(value), number >= 0 else { throw wrong("a number of tokens") }
      maximumTokens = number
    case "priority":
      guard let known = Priority(rawValue: value) else { throw wrong("interactive or background") }
      priority = known
    case "fresh":
      guard let age = Self.milliseconds(value) else { throw wrong("a time such as 90s, 24h or 7d") }
      fresh = age
    case "stale":
      guard value == "allow" || value == "never" else { throw wrong("allow or never") }
      allowsStale = value == "allow"
    case "tags":
      // A comma parts options: in the path tags stand with a semicolon between them.
      do throws(TagProblem) { tags = try Tags.list(text.replacing(";", with: ",")) } catch {
        throw Fault(description: "\(error) (in \(place))")
      }
    case Self.cacheName where names.contains(name):
      guard value == "on" || value == "off" else { throw wrong("on or off") }
      cache = value == "on"
    default:
      throw Fault(
        description: "“\(name.inOneLine(atMost: 50))” in \(place) is no option; there are"
          + " \(names.joined(separator: ", "))")
    }
  }

  /// A time such as `90s`, `15m`, `24h` or `7d`.
  private static func milliseconds(_ text: String) -> Int64? {
    let units: [Character: Int64] = ["s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
    guard let last = text.last, let unit = units[last], let number = Int64(text.dropLast()),
      0...36_500 * 86_400 ~= number
    else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: unit)
    return overflow ? nil : product
  }

  /// A demand with what these say. What the request itself says of its age goes before `fresh`.
  package func apply(to demand: ResourceDemand, by principal: Principal) -> ResourceDemand {
    var demand = demand
    demand.principal = principal
    if !tags.isEmpty { demand.principal.tags = tags }
    demand.limit = maximumTokens
    if let fresh, demand.age == .windows { demand.age = .fetched(fresh) }
    demand.isBackground = priority == .background
    return demand
  }
}
