import Foundation
import JSONText
import Testing
import TollbookTestSupport

@Suite struct LogCommandTests {
  private let folder: TemporaryFolder
  private let place = ["--data-dir", "data"]

  init() throws { folder = try TemporaryFolder() }

  private func serve() async throws -> Serving {
    try await Serving(["serve", "--simulate", "--port", "0"] + place, in: folder)
  }

  private func run(_ arguments: [String]) async throws -> Ended {
    try await Binary.run(arguments + place, in: folder)
  }

  @Test func `events and verify read beside the owner, rebuild without one`() async throws {
    let serving = try await serve()
    _ = try await serving.batch(["B09T2ZLMHB"])

    let table = try await run(["events"])
    let json = try await run(["events", "--format", "json", "--type", "TokensCharged"])
    let verified = try await run(["verify"])
    #expect(table.lines.first?.contains("ServiceStarted") == true)
    #expect(table.output.contains("cost 1 token\n"))
    #expect(
      try JSONDocument(Array(json.output.utf8)).root["data"]?["moves"]?[0]?["amount"]?.int64 == 1)
    #expect(verified.status == 0)
    #expect(verified.output.contains("All is as it was written"))
    #expect(await serving.end().status == 0)

    let events = try await run(["events", "--format", "json"])
    let rebuilt = try await run(["rebuild"])
    #expect(rebuilt.status == 0)
    #expect(rebuilt.output.contains("from \(events.lines.count) events"))
    #expect(rebuilt.errors.isEmpty, "no progress where no terminal is")
    #expect(try await run(["events", "--format", "json"]).output == events.output)
    #expect(try await run(["verify"]).status == 0)
  }

  @Test func `events come after a position, and no more than asked for`() async throws {
    #expect(try await serve().end().status == 0)

    let all = try await run(["events"])
    let one = try await run(["events", "--after", "1", "--limit", "1"])
    let none = try await run(["events", "--after", "1000"])

    #expect(all.lines.count >= 2)
    #expect(one.lines.count == 1)
    #expect(one.lines.first == all.lines[1])
    #expect(none.status == 2)
    #expect(none.errors.contains("the log ends at \(all.lines.count)"))
    #expect(none.output.isEmpty)
  }

  @Test func `verify names what is damaged and fails`() async throws {
    let serving = try await serve()
    _ = try await serving.batch(["B09T2ZLMHB"])
    let charges = try await run(["events", "--format", "json", "--type", "CacheWritten"])
    let position = try #require(
      try JSONDocument(Array(charges.output.utf8)).root["position"]?.int64)
    #expect(await serving.end().status == 0)
    let file = "\(folder.path)/data/data.mdb"
    var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
    var found = bytes.range(of: Data("keepa.product".utf8))
    while let range = found {
      bytes[range.lowerBound] ^= 1
      found = bytes.range(of: Data("keepa.product".utf8))
    }
    try bytes.write(to: URL(fileURLWithPath: file))

    let verified = try await run(["verify"])

    #expect(verified.status == 1)
    #expect(verified.output.contains("position \(position)"))
    #expect(verified.errors.contains("found"))
  }

  @Test func `a doubt is listed and closed by hand, through the owner or without one`()
    async throws
  {
    let keepa = try await Serving(["simulate", "keepa", "--port", "0"], in: folder)
    let serving = try await Serving(
      ["serve", "--simulate", "--simulator", keepa.url, "--port", "0"] + place, in: folder)
    try await keepa.post("/_simulator/faults", #"{"rules":[{"kind":"drop","next":2}]}"#)
    let answer = try await serving.batch(["B09T2ZLMHB"])
    #expect(answer["stats"]?["tokens_used"]?.int64 == 1)

    let listed = try await run(["resolve"])
    #expect(listed.output.contains("in doubt"))
    let doubts = listed.lines.dropFirst().map { $0.split(separator: " ").map(String.init) }
    try #require(doubts.count == 2)
    let through = try await run(
      ["resolve", "--fetch", doubts[0][0], "--attempt", doubts[0][1], "--settled", "1"]
        + ["--note", "seen in the simulator's books"])
    #expect(through.status == 0, "\(through.errors)")
    #expect(await serving.end().status == 0)
    let without = try await run(
      ["resolve", "--fetch", doubts[1][0], "--attempt", doubts[1][1], "--settled", "0"]
        + ["--note", "given back"])
    #expect(without.status == 0, "\(without.errors)")

    #expect(try await run(["resolve"]).output == "Nothing is in doubt.\n")
    let resolved = try await run(["events", "--type", "ChargeResolved"])
    #expect(resolved.output.contains("1 spent, 0 given back, by hand"))
    #expect(resolved.output.contains("0 spent, 1 given back, by hand (given back)"))
    let again = try await run(
      ["resolve", "--fetch", doubts[0][0], "--settled", "1", "--note", "once more"])
    #expect(again.status == 1)
    #expect(again.errors.contains("has nothing in doubt"))
    #expect(await keepa.end().status == 0)
  }

  @Test func `a doubt that only a snapshot tells of is listed with its own time, and closed`()
    async throws
  {
    let keepa = try await Serving(["simulate", "keepa", "--port", "0"], in: folder)
    let serving = try await Serving(
      ["serve", "--simulate", "--simulator", keepa.url, "--port", "0"] + place, in: folder)
    try await keepa.post("/_simulator/faults", #"{"rules":[{"kind":"drop","next":1}]}"#)
    _ = try await serving.batch(["B09T2ZLMHB"])
    #expect(await serving.end().status == 0)
    let start = try await run(["events", "--format", "json", "--type", "FetchStarted"])
    let line = try #require(start.lines.first)
    let time = try #require(try JSONDocument(Array(line.utf8)).root["time"]?.string)
    #expect(try await run(["snapshot", "take", "--copy-to", "copy"]).status == 0)
    let there = ["--data-dir", "restored"]
    let restored = try await Binary.run(["restore", "--snapshot", "copy"] + there, in: folder)
    #expect(restored.status == 0, "\(restored.errors)")

    let listed = try await Binary.run(["resolve"] + there, in: folder)
    let words = try #require(listed.lines.last).split(separator: " ").map(String.init)
    #expect(words.contains("doubt"), "\(listed.output)")
    #expect(words.contains(time), "\(listed.output) of \(time)")
    let closed = try await Binary.run(
      ["resolve", "--fetch", words[0], "--settled", "1", "--note", "seen"] + there, in: folder)
    #expect(closed.status == 0, "\(closed.errors)")
    #expect(
      try await Binary.run(["resolve"] + there, in: folder).output == "Nothing is in doubt.\n")
    #expect(await keepa.end().status == 0)
  }

  @Test(arguments: ["events", "verify", "audit"])
  func `what only reads does so where there is little address space`(command: String) async throws {
    let serving = try await serve()
    #expect(await serving.end().status == 0)
    let process = Binary.process([], in: folder.path, environment: [:])
    let tool = try #require(process.executableURL?.path)
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments =
      ["-c", #"ulimit -v 8000000; exec "$0" "$@""#, tool, command] + place
    let errors = Lines()
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors.pipe
    try process.run()
    let said = await errors.all()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(said)")
  }

  @Test func `an owner is asked however long the path of its directory is`() async throws {
    let deep = (0..<6).map { "a-folder-with-a-long-name-\($0)" }.joined(separator: "/")
    let serving = try await Serving(
      ["serve", "--simulate", "--port", "0", "--data-dir", deep], in: folder)

    let refused = try await Binary.run(
      ["resolve", "--data-dir", deep, "--fetch", "1", "--settled", "0", "--note", "none"],
      in: folder)

    #expect(deep.utf8.count > 107)
    #expect(refused.status == 1)
    #expect(refused.errors == "Error: attempt 1 of fetch 1 has nothing in doubt.\n")
    #expect(await serving.end().status == 0)
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/\(deep)/control.sock"))
  }

  @Test func `a data directory may have a name of one letter`() async throws {
    let serving = try await Serving(
      ["serve", "--simulate", "--port", "0", "--data-dir", "d"], in: folder)
    #expect(await serving.end().status == 0)
    #expect(FileManager.default.fileExists(atPath: "\(folder.path)/d/data.mdb"))
  }

  @Test func `the simulator tells how to reach it`() async throws {
    let keepa = try await Serving(
      ["simulate", "keepa", "--port", "0", "--balance", "7", "--rate", "5"], in: folder)

    #expect(keepa.greeting.contains("tollbook serve --simulate --simulator \(keepa.url)"))
    #expect(try await keepa.get("/_simulator/books").kind == .object)
    let key = try #require(
      keepa.greeting.split(whereSeparator: \.isWhitespace).first { $0.contains("-key-") })
    #expect(try await keepa.get("/token?key=\(key)")["tokensLeft"]?.int64 == 7)
    #expect(await keepa.end().status == 0)
  }
}
