/// Why the settings cannot be used: which one, where it was found, and what is expected.
struct SettingsProblem: Error, Hashable, Sendable, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }

  /// A value that is none. A secret is not repeated.
  init(_ setting: Setting, from source: SettingSource, value: String) {
    let shown =
      value.isEmpty
      ? "is empty" : setting.isSecret ? "cannot be used" : "is “\(setting.kind.shown(value))”"
    self.init("\(source.subject(setting)) \(shown); expected \(setting.kind.expectation).")
  }
}

/// Everything that is wrong with the settings, so that it can be put right at once.
struct SettingsProblems: Error, Hashable, Sendable, CustomStringConvertible {
  let problems: [SettingsProblem]

  var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// Who gave a value.
enum SettingSource: Hashable, Sendable {
  case flag
  case environment
  case file(String)
  case standard

  /// How `tollbook config` names it.
  func name(_ setting: Setting) -> String {
    switch self {
    case .flag: setting.flag ?? "flag"
    case .environment: setting.environment
    case .file(let path): path
    case .standard: "default"
    }
  }

  /// How a sentence about a wrong value begins.
  func subject(_ setting: Setting) -> String {
    switch self {
    case .flag: setting.flag ?? "a flag"
    case .environment: "the environment variable \(setting.environment)"
    case .file(let path): "\(setting.key) in \(path)"
    case .standard: "the default of \(setting.key)"
    }
  }
}
