import JSONText
import TollbookEvents

/// What `PATCH /schedules/{name}` asks for: `{"rule"?, "paused"?, "run_now"?}`, one of them at least.
package struct ScheduleChange: Hashable, Sendable {
  /// The members that there may be.
  package static let names = ["rule", "paused", "run_now"]
  /// In bytes.
  package static let longestBody = 4_096

  /// Nil: the rule stays.
  package var rule: ScheduleRule?
  /// Nil: it stays paused or not.
  package var isPaused: Bool?
  /// Whether it is to run now, beside its rule and also while it is paused.
  package var isAskedNow: Bool

  package init(
    rule: String?, paused: Bool?, runNow: Bool?
  ) throws(ScheduleProblem) {
    guard rule != nil || paused != nil || runNow == true else {
      throw ScheduleProblem(
        nil, "nothing is to be changed; send \(Self.names.joined(separator: ", ")), or some of them"
      )
    }
    if let rule { self.rule = try ScheduleRule(rule) }
    isPaused = paused
    isAskedNow = runNow ?? false
  }

  /// Reads the body of a request. A member that is `null` counts as left out; an unknown name and one that stands twice
  /// are refused.
  package init(json: [UInt8]) throws(ScheduleProblem) {
    guard json.count <= Self.longestBody else {
      throw ScheduleProblem(nil, "the body has more than \(Self.longestBody) bytes")
    }
    let root: JSONValue
    do throws(JSONError) {
      root = try JSONDocument(json, maximumDepth: 8, maximumValues: 64).root
    } catch {
      throw ScheduleProblem(nil, "at byte \(error.offset): \(error.reason.rawValue)")
    }
    guard let members = root.members else {
      throw ScheduleProblem(nil, "the body must be an object, not \(root.kind)")
    }
    var seen: Set<String> = []
    for member in members {
      let name = member.name
      guard Self.names.contains(name) else {
        throw ScheduleProblem(
          name.inOneLine(atMost: 60),
          "“\(name.inOneLine(atMost: 60))” is no member of this body; it takes"
            + " \(Self.names.joined(separator: ", "))")
      }
      guard seen.insert(name).inserted else {
        throw ScheduleProblem(name, "\(name) stands twice; send one of them")
      }
    }
    try self.init(
      rule: Self.value(root, "rule", "a string") { $0.string },
      paused: Self.value(root, "paused", "true or false") { $0.bool },
      runNow: Self.value(root, "run_now", "true or false") { $0.bool })
  }

  private static func value<Value>(
    _ root: JSONValue, _ name: String, _ wanted: String, _ read: (JSONValue) -> Value?
  ) throws(ScheduleProblem) -> Value? {
    guard let found = root[name], !found.isNull else { return nil }
    guard let value = read(found) else {
      throw ScheduleProblem(name, "\(name) must be \(wanted), not \(found.kind)")
    }
    return value
  }
}
