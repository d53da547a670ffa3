import Foundation
import JSONText
import Testing
import TollbookTestSupport

/// `tollbook log export`, `log import`, and `events` as it filters and follows.
@Suite(.timeLimit(.minutes(30))) struct LogFileCommandTests {
  private let folder: TemporaryFolder
  private let place = ["--data-dir", "data"]

  init() throws { folder = try TemporaryFolder() }

  private func serve() async throws -> Serving {
    try await Serving(["serve", "--simulate", "--port", "0"] + place, in: folder)
  }

  private func run(_ arguments: [String]) async throws -> Ended {
    try await Binary.run(arguments, in: folder)
  }

  /// A data directory with some purchases in it.
  private func made() async throws {
    let serving = try await serve()
    _ = try await serving.batch(["B09T2ZLMHB", "B000000001"])
    _ = try await serving.batch(["B000000002"])
    #expect(await serving.end().status == 0)
  }

  /// What a command says behind a name.
  private func line(_ name: String, of ended: Ended) -> Substring? {
    ended.lines.first { $0.hasPrefix(name) }?.split(separator: " ").last
  }

  @Test func `a log is exported beside its owner, imported elsewhere, and is the same`()
    async throws
  {
    let serving = try await serve()
    _ = try await serving.batch(["B09T2ZLMHB", "B000000001"])
    let exported = try await run(
      ["log", "export", "--bodies", "--output", "log.export"] + place)
    #expect(exported.status == 0, "\(exported.errors)")
    #expect(exported.output.contains("with 2 bodies"))
    let verified = try await run(["verify", "--export", "log.export"])
    #expect(verified.status == 0)

    let imported = try await run(["log", "import", "log.export", "--data-dir", "copy"])
    #expect(imported.status == 0, "\(imported.errors)")
    #expect(line("root", of: imported) == line("root", of: exported))
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/copy.importing"))
    let copy = try await run(["verify", "--data-dir", "copy"])
    #expect(copy.status == 0, "\(copy.output)")
    #expect(line("state", of: copy) == line("state", of: imported))

    // The log has grown; the export grows, and the copy.
    _ = try await serving.batch(["B000000002"])
    #expect(await serving.end().status == 0)
    let again = try await run(["log", "export", "--bodies", "--output", "log.export"] + place)
    #expect(again.status == 2)
    #expect(again.errors.contains("--resume"))
    let resumed = try await run(
      ["log", "export", "--bodies", "--output", "log.export", "--resume"] + place)
    #expect(resumed.status == 0, "\(resumed.errors)")
    let grown = try await run(["log", "import", "log.export", "--data-dir", "copy"])
    #expect(grown.status == 0, "\(grown.errors)")
    #expect(line("root", of: grown) == line("root", of: resumed))
    let original = try await run(["verify"] + place)
    #expect(line("state", of: original) == line("state", of: grown))
    #expect(
      try await run(["events", "--format", "json"] + place).output
        == run(["events", "--format", "json", "--data-dir", "copy"]).output)
    let nothing = try await run(["log", "import", "log.export", "--data-dir", "copy"])
    #expect(nothing.status == 0)
    #expect(nothing.output.contains("Nothing is new"))
  }

  @Test func `going on with a file of something else leaves nothing beside it`() async throws {
    try await made()
    let file = "\(folder.path)/all.export"
    try Data("precious".utf8).write(to: URL(fileURLWithPath: file))
    let foreign = try await run(["log", "export", "--output", "all.export", "--resume"] + place)
    #expect(foreign.status == 1)
    #expect(foreign.errors.contains("all.export is not an export"))
    #expect(FileManager.default.contents(atPath: file) == Data("precious".utf8))
    #expect(!FileManager.default.fileExists(atPath: "\(file).part"))
  }

  @Test func `trouble of the scratch folder is named as that, and nothing is left in it`()
    async throws
  {
    try await made()
    let scratch = "\(folder.path)/none"
    for arguments in [["verify"], ["replay"]] {
      let ended = try await Binary.run(
        arguments + place, in: folder, environment: ["TMPDIR": scratch])
      #expect(ended.status == 1)
      #expect(ended.errors.contains("the scratch folder \(scratch)/"), "\(ended.errors)")
      #expect(ended.errors.contains("the log is untouched"))
      #expect(!ended.output.contains("damage"))
    }
    try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: false)
    for arguments in [["verify"], ["replay"]] {
      let ended = try await Binary.run(
        arguments + place, in: folder, environment: ["TMPDIR": scratch])
      #expect(ended.status == 0, "\(ended.errors)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: scratch).isEmpty)
    }
  }

  @Test func `a stream of an export is the same as a file, and lines are for reading`()
    async throws
  {
    try await made()
    #expect(try await run(["log", "export", "--output", "log.export"] + place).status == 0)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    let binary = Binary.process([], in: folder.path, environment: [:]).executableURL?.path ?? ""
    process.arguments = ["-c", "'\(binary)' log export --data-dir data > piped.export 2> said"]
    process.environment = [:]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(
      FileManager.default.contents(atPath: "\(folder.path)/piped.export")
        == FileManager.default.contents(atPath: "\(folder.path)/log.export"))

    let lines = try await run(["log", "export", "--format", "jsonl"] + place)
    #expect(lines.output == (try await run(["events", "--format", "json"] + place)).output)
    let file = try await run(
      ["log", "export", "--format", "jsonl", "--from", "2", "--to", "3", "--output", "two"] + place)
    #expect(file.status == 0, "\(file.errors)")
    let two = String(
      decoding: FileManager.default.contents(atPath: "\(folder.path)/two") ?? Data(),
      as: UTF8.self)
    #expect(two.split(separator: "\n") == Array(lines.lines[1...2]))
    let refused = try await run(["log", "import", "two", "--data-dir", "copy"])
    #expect(refused.status == 1)
    #expect(refused.errors.contains("JSON lines"))
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/copy"))
  }

  @Test func `a damaged export leaves nothing behind`() async throws {
    try await made()
    #expect(
      try await run(["log", "export", "--bodies", "--output", "log.export"] + place).status == 0)
    let path = "\(folder.path)/log.export"
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes[bytes.count / 2] ^= 4
    try bytes.write(to: URL(fileURLWithPath: path))

    let verified = try await run(["verify", "--export", "log.export"])
    #expect(verified.status == 1)
    let imported = try await run(["log", "import", "log.export", "--data-dir", "copy"])
    #expect(imported.status == 1)
    #expect(imported.errors.contains("checksum"))
    #expect(imported.errors.contains("byte "))
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names.filter { $0.hasPrefix("copy") }.isEmpty)
    let before = try await run(["verify"] + place)
    let into = try await run(["log", "import", "log.export"] + place)
    #expect(into.status == 1)
    let after = try await run(["verify"] + place)
    #expect(line("state", of: after) == line("state", of: before))
  }

  @Test func `nothing is imported into a directory that is in use`() async throws {
    try await made()
    #expect(try await run(["log", "export", "--output", "log.export"] + place).status == 0)
    let serving = try await serve()
    let refused = try await run(["log", "import", "log.export"] + place)
    #expect(refused.status == 1)
    #expect(refused.errors.contains("in use"))
    #expect(await serving.end().status == 0)
    #expect(try await run(["verify"] + place).status == 0)
  }

  @Test(arguments: [
    (["log", "export", "--from", "9", "--to", "3"], "before the beginning"),
    (["log", "export", "--from", "yesterday"], "yesterday"),
    (["log", "export", "--from", "2026-13-01"], "2026-13-01"),
    (["log", "export", "--resume"], "--output"),
    (["log", "export", "--format", "jsonl", "--bodies"], "JSON lines"),
    (["log", "import", "file"], "--data-dir"),
    (["events", "--from", "2026-11-21", "--to", "2026-11-20"], "before the beginning"),
    (["events", "--follow", "--to", "9"], "--to"), (["events", "--fetch", "0"], "--fetch"),
  ])
  func `what cannot be meant ends with status 2`(arguments: [String], word: String) async throws {
    let ended = try await run(arguments)
    #expect(ended.status == 2)
    #expect(ended.errors.contains(word), "\(ended.errors)")
    #expect(try folder.contents().isEmpty)
  }

  @Test func `from beyond the end, or behind the end in time, is refused`() async throws {
    try await made()
    let beyond = try await run(["log", "export", "--from", "100000", "--output", "x"] + place)
    #expect(beyond.status == 2)
    #expect(beyond.errors.contains("the log ends at"))
    let mixed = try await run(["events", "--from", "3", "--to", "2001-01-01"] + place)
    #expect(mixed.status == 2)
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/x"))
  }

  @Test func `events are found by account, resource, fetch and time`() async throws {
    try await made()
    func types(_ arguments: [String]) async throws -> [String] {
      let ended = try await run(["events", "--format", "json"] + arguments + place)
      #expect(ended.status == 0, "\(ended.errors)")
      return try ended.lines.map {
        try JSONDocument(Array($0.utf8)).root["type"]?.string ?? ""
      }
    }
    let all = try await types([])
    let started = try #require(all.firstIndex(of: "FetchStarted")) + 1
    let fetch = try await types(["--fetch", "\(started)"])
    #expect(fetch.first == "FetchStarted")
    #expect(Set(fetch).isSuperset(of: ["FetchSucceeded", "CacheWritten", "TokensCharged"]))
    #expect(!fetch.contains("ServiceStarted"))
    #expect(
      try await types(["--resource", "shared/keepa.product/1/B09T2ZLMHB", "--type", "CacheWritten"])
        == ["CacheWritten"])
    #expect(
      try await types(["--resource", "shared/keepa.product/1/B0*", "--type", "CacheWritten"]).count
        == 3)
    #expect(
      try await types(["--type", "CacheWritten", "--type", "ServiceStarted"]).count
        == all.filter { $0 == "CacheWritten" || $0 == "ServiceStarted" }.count)
    #expect(try await types(["--account", "nobody"]).isEmpty)
    #expect(try await types(["--from", "2", "--to", "4"]) == Array(all[1...3]))
    #expect(try await types(["--to", "2001-01-01"]).isEmpty)
    #expect(try await types(["--from", "2001-01-01"]) == all)
  }

  @Test func `events are followed beside the owner until Ctrl-C`() async throws {
    let serving = try await serve()
    let process = Binary.process(
      ["events", "--follow", "--after", "0", "--type", "CacheWritten", "--format", "json"] + place,
      in: folder.path, environment: [:])
    let output = Lines()
    process.standardOutput = output.pipe
    try process.run()
    _ = try await serving.batch(["B09T2ZLMHB"])
    let first = await output.until { $0.contains("\n") }
    _ = try await serving.batch(["B000000001", "B000000002"])
    let all = await output.until { $0.split(separator: "\n").count == 3 }
    kill(process.processIdentifier, SIGINT)
    process.waitUntilExit()
    #expect(first?.contains("B09T2ZLMHB") == true)
    #expect(all?.contains("B000000002") == true)
    #expect(process.terminationStatus == 0)
    #expect(await serving.end().status == 0)
  }
}
