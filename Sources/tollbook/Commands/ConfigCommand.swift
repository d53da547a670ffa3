import ArgumentParser
import JSONText

/// `tollbook config`
struct ConfigCommand: AsyncParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json
  }

  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Show the settings in force and where each came from.",
    discussion: """
      A flag wins over an environment variable, that over the settings file, that \
      over the default. Secrets are never shown.

      The settings file is JSON:
        {"tollbook": {"port": 8080}, "keepa": {"base_url": "…"}}
      """)

  @OptionGroup var place: PlaceFlags
  @OptionGroup var service: ServiceFlags
  @Option(help: "How to write them.") var format = Format.table

  func run() async throws {
    let settings = try await place.settings(service.values)
    switch format {
    case .table: Self.show(settings)
    case .json: Console.say(Self.json(settings))
    }
  }

  private static func show(_ settings: Settings) {
    var table = TextTable([.left, .left, .left], heading: ["SETTING", "VALUE", "FROM"])
    for entry in settings.entries {
      table.add([entry.setting.key, entry.shown, entry.source.name(entry.setting)])
    }
    let lines = table.lines()
    Console.say(Console.faint(lines[0]))
    for line in lines.dropFirst() { Console.say(line) }
    Console.say()
    Console.say(
      Console.faint(
        "What each means: README.md, Settings. Environment: the name in capitals, "
          + "such as TOLLBOOK_PORT."))
  }

  private static func json(_ settings: Settings) -> String {
    var json = JSONWriter(layout: .indented)
    json.object { json in
      json.field("simulated", settings.isSimulated)
      json.field("file", settings.file)
      json.array("settings", settings.entries) { json, entry in
        json.object { json in
          json.field("key", entry.setting.key)
          json.field("environment", entry.setting.environment)
          json.field("flag", entry.setting.flag)
          json.field("secret", entry.setting.isSecret)
          json.field("set", entry.text?.isEmpty == false)
          json.field("value", entry.setting.isSecret ? nil : entry.text)
          json.field("source", entry.source.name(entry.setting))
        }
      }
    }
    return json.string
  }
}
