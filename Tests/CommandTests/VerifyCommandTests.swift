import Foundation
import JSONText
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@Suite(.timeLimit(.minutes(30))) struct VerifyCommandTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func run(_ arguments: [String], place: String = "data") async throws -> Ended {
    try await Binary.run(arguments + ["--data-dir", place], in: folder)
  }

  private func write(to place: String = "data") async throws {
    let serving = try await Serving(
      ["serve", "--simulate", "--port", "0", "--data-dir", place], in: folder)
    _ = try await serving.batch(["B09T2ZLMHB", "B000000001"])
    _ = try await serving.batch(["B000000002"])
    #expect(await serving.end().status == 0)
  }

  private func file(_ place: String) -> URL {
    URL(fileURLWithPath: "\(folder.path)/\(place)/data.mdb")
  }

  /// Everything that people are told from a data directory.
  private func answers(of place: String) async throws -> [String] {
    [
      try await run(["events", "--format", "json"], place: place).output,
      try await run(["replay", "--format", "json"], place: place).output,
      try await run(["replay", "--view", "cache", "--format", "json"], place: place).output,
      try await run(["replay", "--view", "ledger", "--format", "json"], place: place).output,
    ]
  }

  @Test func `a sound directory is verified in full, without bodies, and fast`() async throws {
    try await write()
    let full = try await run(["verify"])
    #expect(full.status == 0, "\(full.errors)")
    #expect(full.output.contains("3 bodies"))
    #expect(full.output.contains("\(allFolds.count) views of"))
    #expect(full.output.contains("All is as it was written"))
    #expect(full.lines.last?.hasPrefix("state  ") == true)
    #expect(full.errors.isEmpty, "no progress where no terminal is")

    let lean = try await run(["verify", "--no-bodies"])
    #expect(lean.status == 0)
    #expect(!lean.output.contains("bod"))
    #expect(lean.lines.last == full.lines.last)

    let fast = try await run(["verify", "--fast"])
    #expect(fast.status == 0)
    #expect(!fast.output.contains("view"))
    #expect(!fast.output.contains("state"))
  }

  @Test func `views that lag are not called damaged, and the next start catches up`() async throws {
    try await write()
    do {
      // As a start leaves them that was cut short: the log goes on and they do not.
      let log = try folder.openLog(time: .system)
      defer { log.close() }
      try await log.append([.serviceStarted(ServiceStarted())])
    }
    let lagging = try await run(["verify"])
    #expect(lagging.status == 0, "\(lagging)")
    #expect(!lagging.output.contains("damaged"))
    #expect(lagging.output.contains("\(allFolds.count) views lag behind the log, from position "))
    #expect(lagging.output.contains("the next `tollbook serve`, or `tollbook rebuild`, catches up"))
    #expect(lagging.output.contains("All is as it was written"))
    try await write()
    let full = try await run(["verify"])
    #expect(full.status == 0 && !full.output.contains("lag"))
    #expect(full.lines.last?.hasPrefix("state  ") == true)
  }

  @Test func `wrong uses are refused, and a directory without a log says so`() async throws {
    #expect(try await run(["verify", "--limit", "0"]).status == 2)
    #expect(try await run(["verify", "--export", "x", "--fast"]).status == 2)
    let missing = try await run(["verify"], place: "nowhere")
    #expect(missing.status == 1)
    #expect(missing.errors.contains("nowhere"))
  }

  @Test func `a page full of garbage is found, or changes no answer`() async throws {
    try await write()
    let sound = try Data(contentsOf: file("data"))
    let answers = try await answers(of: "data")
    try FileManager.default.copyItem(
      atPath: "\(folder.path)/data", toPath: "\(folder.path)/bad")
    var random = SeededGenerator(seed: 5)
    var found = 0
    var crashed = 0
    let pages = sound.count / 4096
    // Each page in its turn, and then some at once.
    for round in 0..<(pages + 20) {
      var damaged = sound
      let hit =
        round < pages ? [round] : (0..<random.int(2...8)).map { _ in random.int(2...pages - 1) }
      for page in hit {
        damaged.replaceSubrange(page * 4096..<(page + 1) * 4096, with: random.bytes(4096))
      }
      try damaged.write(to: file("bad"))
      let verified = try await run(["verify"], place: "bad")
      if verified.status == 0 {
        #expect(verified.output.contains("All is as it was written"))
        #expect(try await self.answers(of: "bad") == answers, "pages \(hit)")
      } else {
        #expect(verified.status == 1, "pages \(hit): \(verified.status)")
        let isTold = verified.output.contains("damaged: ") || !verified.errors.isEmpty
        #expect(isTold, "pages \(hit)")
        found += 1
        if verified.output.contains("by signal") {
          crashed += 1
          #expect(verified.output.contains("(table "))
        }
      }
    }
    print("\(pages) pages: \(found) found, \(crashed) of them by a crash")
    #expect(found > pages / 4)
  }

  @Test func `a changed byte anywhere is found, or changes no answer`() async throws {
    try await write()
    let sound = try Data(contentsOf: file("data"))
    let answers = try await answers(of: "data")
    try FileManager.default.copyItem(
      atPath: "\(folder.path)/data", toPath: "\(folder.path)/bad")
    var random = SeededGenerator(seed: 6)
    // Zeros are mostly room that nothing uses; what is written counts.
    let written = sound.indices.filter { sound[$0] != 0 }
    var found = 0
    for _ in 0..<120 {
      let offset = random.pick(written)
      var damaged = sound
      damaged[offset] ^= UInt8(1 << random.int(0...7))
      try damaged.write(to: file("bad"))
      let verified = try await run(["verify"], place: "bad")
      if verified.status == 0 {
        #expect(try await self.answers(of: "bad") == answers, "byte \(offset)")
      } else {
        #expect(verified.status == 1, "byte \(offset)")
        found += 1
      }
    }
    print("120 bytes: \(found) found")
    #expect(found > 10)
  }

  @Test func `Ctrl-C ends a verification without a verdict`() async throws {
    try await write()
    // Stopped before it has begun to read: the flag is looked at between portions.
    let process = Binary.process(
      ["verify", "--data-dir", "data"], in: folder.path, environment: [:])
    let output = Lines()
    process.standardOutput = output.pipe
    process.standardError = Pipe()
    try process.run()
    kill(process.processIdentifier, SIGINT)
    let text = await output.all()
    process.waitUntilExit()
    // The signal may come before the command watches for it, or after its end.
    let isEnded =
      process.terminationReason == .uncaughtSignal
      || [0, 130].contains(process.terminationStatus)
    #expect(isEnded, "\(process.terminationStatus)")
    if process.terminationStatus == 130 { #expect(!text.contains("All is")) }
  }
}
