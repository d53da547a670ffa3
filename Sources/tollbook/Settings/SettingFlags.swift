import ArgumentParser
import Foundation

/// The flags by which every command finds its data directory.
struct PlaceFlags: ParsableArguments {
  @Option(
    name: .customLong("data-dir"),
    help: ArgumentHelp("Folder of the event log.", valueName: "folder"))
  var dataDirectory: String?

  @Flag(help: "Use simulated upstreams, with data of their own in ./tollbook-simulated.")
  var simulate = false

  @Option(
    help: ArgumentHelp(
      "Settings file in JSON; TOLLBOOK_CONFIG does the same.", valueName: "file"))
  var config: String?

  /// The settings, with values of further flags.
  ///
  /// - Throws: `ExitCode.validationFailure`, after saying on standard error what is wrong.
  func settings(_ more: [SettingName: String?] = [:]) async throws -> Settings {
    var loader = SettingsLoader()
    loader.flags = more.compactMapValues(\.self)
    loader.flags[.dataDirectory] = dataDirectory
    loader.file = config
    loader.environment = ProcessInfo.processInfo.environment
    loader.isSimulated = simulate
    do { return try await loader.load() } catch let error as SettingsProblems {
      for problem in error.problems { Console.complain(problem.description) }
      throw ExitCode.validationFailure
    }
  }
}

/// The flags of a service.
struct ServiceFlags: ParsableArguments {
  @Option(help: ArgumentHelp("Address to listen on.", valueName: "address"))
  var host: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Port to listen on; 0 takes a free one.", valueName: "number"))
  var port: String?

  @Flag(help: "Listen with TLS too, as api.keepa.com; `tollbook tls init` comes before.")
  var tls = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Port to listen on with TLS; 0 takes a free one.", valueName: "number"))
  var tlsPort: String?

  @Option(
    help: ArgumentHelp("How much to say on standard error: info, debug …", valueName: "level"))
  var logLevel: String?

  var values: [SettingName: String?] {
    [
      .host: host, .port: port, .tls: tls ? "on" : nil, .tlsPort: tlsPort, .logLevel: logLevel,
    ]
  }
}
