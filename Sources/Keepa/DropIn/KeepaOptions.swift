import Hummingbird
import TollbookEvents
import TollbookGateway
import TollbookHTTP

/// What a client of Keepa's wire format wants of Tollbook itself: in the base path, such as
/// `/keepa/~max-tokens=50,fresh=24h,stale=allow/product`, or in headers such as `Tollbook-Max-Tokens`.
struct KeepaOptions: Hashable, Sendable {
  enum Priority: String, CaseIterable { case interactive, background }

  /// The most that the request may cost.
  var maximumTokens: Int64?
  var priority = Priority.interactive
  /// How old what is cached may be, in milliseconds; nil: what the windows say.
  var fresh: Int64?
  /// Whether what is past its time answers where nothing better can be had.
  var allowsStale = false
  /// What the request is for; empty: what the header Tollbook-Tags says.
  var tags: [String] = []

  static let names = ["max-tokens", "priority", "fresh", "stale", "tags"]

  init() {}

  /// - Parameter path: what stands between `~` and the next slash; nil: nothing.
  init(path: String?, _ headers: HTTPFields) throws(KeepaRefusal) {
    var items: [(name: String, value: String, from: String)] = []
    for name in Self.names {
      if let header = HeaderName("Tollbook-\(name)"), let value = headers[header] {
        items.append((name, value, "the header Tollbook-\(name)"))
      }
    }
    for item in path?.split(separator: ",") ?? [] {
      let parts = item.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else {
        throw .invalid("“\(item.prefix(50))” in the path is no option; write name=value")
      }
      items.append((parts[0], parts[1], "the path"))
    }
    var seen: Set<String> = []
    for (name, value, place) in items {
      // Of two limits one would be lost.
      guard seen.insert(name).inserted else {
        throw .invalid("\(name.inOneLine(atMost: 50)) is said twice, once in \(place)")
      }
      try set(name, value, place)
    }
  }

  private mutating func set(
    _ name: String, _ text: String, _ place: String
  ) throws(KeepaRefusal) {
    let value = text.lowercased()
    func wrong(_ what: String) -> KeepaRefusal {
      .invalid("\(name) in \(place) is “\(value.inOneLine(atMost: 50))”; it is \(what)")
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
        throw .invalid("\(error) (in \(place))")
      }
    default:
      throw .invalid(
        "“\(name.inOneLine(atMost: 50))” in \(place) is no option; there are"
          + " \(Self.names.joined(separator: ", "))")
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
  func apply(to demand: ResourceDemand, by principal: Principal) -> ResourceDemand {
    var demand = demand
    demand.principal = principal
    if !tags.isEmpty { demand.principal.tags = tags }
    demand.limit = maximumTokens
    if let fresh, demand.age == .windows { demand.age = .fetched(fresh) }
    demand.isBackground = priority == .background
    return demand
  }
}
