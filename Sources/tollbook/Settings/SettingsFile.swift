import Foundation
import JSONText

/// A settings file: `{"tollbook": {"port": 8000, …}, "keepa": {"api_key": "…", …}}`.
///
/// Looks for what reading it value by value would pass over: names that nobody knows, and values of another type.
struct SettingsFile {
  private let path: String

  init(_ path: String) { self.path = path }

  /// - Throws: `SettingsProblems` with everything that is wrong.
  func check() throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw problem("the settings file \(path) cannot be read; is the path right?")
    }
    let root: JSONValue
    do throws(JSONError) { root = try JSONDocument([UInt8](data)).root } catch {
      let line = data.prefix(error.offset).count { $0 == UInt8(ascii: "\n") } + 1
      throw problem(
        "the settings file \(path) is not JSON: line \(line), \(error.reason.rawValue).")
    }
    guard root.kind == .object else {
      throw problem("the settings file \(path) must hold an object, not \(root.kind).")
    }
    let problems = problems(in: root, below: [])
    guard problems.isEmpty else { throw SettingsProblems(problems: problems) }
  }

  private func problems(in object: JSONValue, below path: [String]) -> [SettingsProblem] {
    var found: [SettingsProblem] = []
    var seen: Set<String> = []
    for member in object.members.map(Array.init) ?? [] {
      let place = path + [member.name]
      let key = place.joined(separator: ".")
      if !seen.insert(member.name).inserted {
        found.append(SettingsProblem("\(key) stands twice in \(self.path)."))
      } else if let setting = Setting.all.first(where: { $0.key == key }) {
        if let text = member.value.string {
          guard setting.kind.value(of: text) == nil else { continue }
          found.append(SettingsProblem(setting, from: .file(self.path), value: text))
          continue
        }
        guard !setting.kind.accepts(member.value) else { continue }
        found.append(
          SettingsProblem(
            "\(key) in \(self.path) is \(member.value.kind); expected"
              + " \(setting.kind.expectation)."))
      } else if member.value.kind == .object, Self.isGroup(place) {
        found += problems(in: member.value, below: place)
      } else {
        found.append(
          SettingsProblem(
            "\(key) in \(self.path) is no setting of Tollbook"
              + suggestion(for: key, among: Setting.all.map(\.key))))
      }
    }
    return found
  }

  /// Whether settings stand below that place.
  private static func isGroup(_ place: [String]) -> Bool {
    Setting.all.contains { $0.path.starts(with: place) }
  }

  private func problem(_ text: String) -> SettingsProblems {
    SettingsProblems(problems: [SettingsProblem(text)])
  }
}

extension SettingKind {
  /// Whether a value in a file that is no text can be one of this kind.
  fileprivate func accepts(_ value: JSONValue) -> Bool {
    switch (self, value.kind) {
    case (.onOff, .bool): true
    case (.integer, .number), (.bytes, .number): value.int != nil
    case (.share, .number): value.double.map { self.value(of: "\($0)") != nil } ?? false
    default: false
    }
  }
}
