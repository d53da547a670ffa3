import Configuration
import Foundation

/// Finds the settings: flags before the environment before the file before the defaults.
///
/// The providers of swift-configuration hold the values; they are asked one by one, because a reader over all of them
/// would take the default where a value is malformed, and say nothing about names that nobody knows.
struct SettingsLoader {
  /// Values of flags that were given.
  var flags: [SettingName: String] = [:]
  /// `--config`.
  var file: String?
  var environment: [String: String] = [:]
  var isSimulated = false

  /// The settings, or all that is wrong with them.
  func load() async throws -> Settings {
    var problems = unknownVariables()
    let file = file ?? environment[Setting.fileVariable].flatMap { $0.isEmpty ? nil : $0 }
    var sources: [(SettingSource, any ConfigProvider)] = [
      (.flag, flagProvider), (.environment, environmentProvider),
    ]
    if let file {
      do {
        try SettingsFile(file).check()
        sources.append((.file(file), try await fileProvider(file)))
      } catch let error as SettingsProblems { problems += error.problems }
    }
    var loader = self
    let demo = try? entry(Setting.named(.demoMode), sources)
    if demo?.value == .text("true") { loader.isSimulated = true }
    var entries: [Settings.Entry] = []
    for setting in Setting.all {
      do throws(SettingsProblem) { entries.append(try loader.entry(setting, sources)) } catch {
        problems.append(error)
      }
    }
    guard problems.isEmpty else { throw SettingsProblems(problems: problems) }
    let settings = Settings(entries: entries, isSimulated: loader.isSimulated, file: file)
    let contradictions = settings.contradictions
    guard contradictions.isEmpty else { throw SettingsProblems(problems: contradictions) }
    return settings
  }

  private func entry(
    _ setting: Setting, _ sources: [(SettingSource, any ConfigProvider)]
  ) throws(SettingsProblem) -> Settings.Entry {
    for (source, provider) in sources {
      guard let text = try text(setting, source, provider) else { continue }
      guard let value = setting.kind.value(of: text) else {
        throw SettingsProblem(setting, from: source, value: text)
      }
      return Settings.Entry(setting: setting, text: text, value: value, source: source)
    }
    let isSimulatedFolder = setting.name == .dataDirectory && isSimulated
    let standard = isSimulatedFolder ? Setting.simulatedDataDirectory : setting.standard
    return Settings.Entry(
      setting: setting, text: standard, value: standard.flatMap { setting.kind.value(of: $0) },
      source: .standard)
  }

  /// What a provider holds for a setting, as text: a file may hold numbers and booleans where they fit.
  private func text(
    _ setting: Setting, _ source: SettingSource, _ provider: any ConfigProvider
  ) throws(SettingsProblem) -> String? {
    let key = AbsoluteConfigKey(setting.path)
    for type in [ConfigType.string, setting.kind.ownType] {
      guard let found = try? provider.value(forKey: key, type: type) else { continue }
      switch found.value?.content {
      case .string(let text)?: return text
      case .int(let number)?: return String(number)
      case .double(let number)?: return String(number)
      case .bool(let flag)?: return flag ? "on" : "off"
      default: return nil
      }
    }
    throw SettingsProblem(
      "\(source.subject(setting)) has another type; expected \(setting.kind.expectation).")
  }
}

extension SettingKind {
  /// As what its values stand in a file, if not as text.
  fileprivate var ownType: ConfigType {
    switch self {
    case .onOff: .bool
    case .share: .double
    default: .int
    }
  }
}

// MARK: The sources

extension SettingsLoader {
  private var flagProvider: InMemoryProvider {
    var values: [AbsoluteConfigKey: ConfigValue] = [:]
    for (name, text) in flags {
      let setting = Setting.named(name)
      values[AbsoluteConfigKey(setting.path)] = ConfigValue(
        .string(text), isSecret: setting.isSecret)
    }
    return InMemoryProvider(name: "flags", values: values)
  }

  /// An empty variable counts as not set, as a list of variables with blanks has them; but an empty access key would
  /// open a door that somebody meant to lock, and an empty address send a key to another place than was meant.
  private var environmentProvider: EnvironmentVariablesProvider {
    let neverEmpty = Set([SettingName.accessKey, .keepaBase].map { Setting.named($0).environment })
    let known = Set(Setting.all.map(\.environment))
    return EnvironmentVariablesProvider(
      environmentVariables: environment.filter { name, value in
        known.contains(name) && (!value.isEmpty || neverEmpty.contains(name))
      },
      secretsSpecifier: .specific(Set(Setting.all.filter(\.isSecret).map(\.environment))))
  }

  private func fileProvider(_ path: String) async throws -> FileProvider<JSONSnapshot> {
    let secrets = Set(Setting.all.filter(\.isSecret).map(\.key))
    return try await FileProvider<JSONSnapshot>(
      parsingOptions: .init(secretsSpecifier: .dynamic { key, _ in secrets.contains(key) }),
      config: ConfigReader(
        provider: InMemoryProvider(values: [
          AbsoluteConfigKey(["filePath"]): ConfigValue(.string(path), isSecret: false)
        ])))
  }

  /// Variables that look like ours and are none: most likely a slip of the pen.
  private func unknownVariables() -> [SettingsProblem] {
    let known = Setting.all.map(\.environment) + [Setting.fileVariable]
    return environment.keys.sorted()
      .filter { $0.hasPrefix("TOLLBOOK_") && !known.contains($0) }
      .map { name in
        SettingsProblem(
          "the environment variable \(name) is no setting of Tollbook"
            + suggestion(for: name, among: known))
      }
  }
}

/// How a sentence about an unknown name ends: with the known one that it is close to, else with where to find them.
func suggestion(for name: String, among known: [String]) -> String {
  let best = known.map { ($0, distance(name, $0)) }.min { $0.1 < $1.1 }
  // Of a short name some letters are as good as another name.
  let own = name.drop { $0 != "_" && $0 != "." }.count - 1
  if let (close, distance) = best, distance <= 3, own < 0 || 2 * distance <= own {
    return "; did you mean \(close)?"
  }
  return "; `tollbook config` lists them."
}

/// How many letters must be put in, left out or changed to turn one name into another.
private func distance(_ left: String, _ right: String) -> Int {
  let right = Array(right)
  var row = Array(0...right.count)
  for (index, letter) in left.enumerated() {
    var diagonal = row[0]
    row[0] = index + 1
    for column in right.indices {
      let changed = diagonal + (letter == right[column] ? 0 : 1)
      diagonal = row[column + 1]
      row[column + 1] = min(changed, diagonal + 1, row[column] + 1)
    }
  }
  return row[right.count]
}
