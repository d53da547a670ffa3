import Foundation
import FoundationNetworking
import JSONText
import Keepa
import Testing
import TollbookArchive
import TollbookEvents
import TollbookLog
import TollbookProofs
import TollbookTestSupport
import TollbookViews

/// The checker in plain Python.
private enum PlainChecker {
  static let path: String = {
    var folder = URL(fileURLWithPath: #filePath)
    while !FileManager.default.fileExists(atPath: folder.appending(path: "Package.swift").path) {
      folder.deleteLastPathComponent()
    }
    return folder.appending(path: "tools/check-statement").path
  }()

  static func run(_ arguments: [String], in folder: TemporaryFolder) throws -> Ended {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3"] + arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.environment = ["PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"]
    let output = "\(folder.path)/python-output-\(UUID().uuidString)"
    _ = FileManager.default.createFile(atPath: output, contents: nil)
    let handle = try #require(FileHandle(forWritingAtPath: output))
    let errors = Pipe()
    process.standardOutput = handle
    process.standardError = errors
    try process.run()
    let complaints = try errors.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    defer { try? FileManager.default.removeItem(atPath: output) }
    return Ended(
      status: process.terminationStatus,
      output: try String(contentsOfFile: output, encoding: .utf8),
      errors: String(decoding: complaints, as: UTF8.self))
  }

  /// The verdicts over many statements, by the functions of the script: `1` where one holds.
  static func verdicts(_ statements: [[UInt8]], in folder: TemporaryFolder) throws -> [Bool] {
    let lines = statements.map { Data($0).base64EncodedString() }.joined(separator: "\n")
    let file = "\(folder.path)/statements"
    try lines.write(toFile: file, atomically: false, encoding: .utf8)
    let script = """
      import base64, importlib.machinery, importlib.util, sys
      loader = importlib.machinery.SourceFileLoader("checker", sys.argv[1])
      checker = importlib.util.module_from_spec(importlib.util.spec_from_loader("checker", loader))
      loader.exec_module(checker)
      for line in open(sys.argv[2]):
          try:
              checker.Statement(base64.b64decode(line))
              print(1)
          except checker.Fault:
              print(0)
      """
    let ended = try run(["-c", script, path, file], in: folder)
    #expect(ended.status == 0, "\(ended.errors)")
    return ended.lines.map { $0 == "1" }
  }
}

@Suite struct StatementCommandTests {
  private let folder: TemporaryFolder
  private let place = ["--data-dir", "data"]

  init() throws { folder = try TemporaryFolder() }

  private func run(_ arguments: [String]) async throws -> Ended {
    try await Binary.run(arguments, in: folder)
  }

  /// What both checkers say: the same words if the statement holds, the same status in any case.
  private func check(_ arguments: [String]) async throws -> Ended {
    let own = try await run(["audit", "check"] + arguments)
    let plain = try PlainChecker.run([PlainChecker.path] + arguments, in: folder)
    #expect(own.status == plain.status, "\(arguments): \(own.errors) \(plain.errors)")
    if own.status == 0 { #expect(own.output == plain.output) }
    return own
  }

  private func write(_ text: String, to name: String) throws {
    try text.write(toFile: "\(folder.path)/\(name)", atomically: false, encoding: .utf8)
  }

  private func text(of name: String) throws -> String {
    try String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)
  }

  @Test func `a statement is written beside the owner and checked by key, checkpoint and age`()
    async throws
  {
    let serving = try await Serving(
      ["serve", "--simulate", "--port", "0"] + place, in: folder)
    _ = try await serving.batch(["B09T2ZLMHB", "B0BSHF7WHW"])
    try write(try await get(serving.url + "/log/key"), to: "key")
    let first = try await run(["audit", "--statement", "first.json"] + place)
    #expect(first.status == 0, "\(first.errors)")
    #expect(first.output.contains("Wrote first.json: 1 line of"))
    try write(try await get(serving.url + "/log/checkpoint"), to: "checkpoint")
    _ = try await serving.batch(["B07FZ8S74R"])
    let head = try #require(
      try JSONDocument(Array(try text(of: "first.json").utf8)).root["through"]?.int64)
    let second = try await run(
      [
        "audit", "--statement", "second.json", "--from", "\(head + 1)", "--growth-from",
        "checkpoint",
      ]
        + place)
    #expect(second.status == 0, "\(second.errors)")
    let whole = try await run(["audit", "--statement", "whole.json", "--every-event"] + place)
    #expect(whole.status == 0, "\(whole.errors)")
    #expect(await serving.end().status == 0)
    // Nothing of the log is needed any more.
    try FileManager.default.removeItem(atPath: "\(folder.path)/data")

    let alone = try await check(["first.json"])
    #expect(alone.status == 0, "\(alone.errors)")
    #expect(alone.output.contains("settled 2 (0 before), in doubt 0 (0 before)"))
    #expect(alone.output.contains("this proves inner consistency alone"))
    #expect(alone.output.contains("Not proven: that no line is missing."))
    let byKey = try await check(["first.json", "--key", "key"])
    #expect(byKey.output.contains("It is signed by the key tollbook-simulated/"))
    #expect(!byKey.output.contains("alone"))
    let key = try text(of: "key").trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(try await check(["first.json", "--key", key]).output == byKey.output)
    let chained = try await check(
      ["second.json", "--since", "first.json", "--checkpoint", "checkpoint", "--key", "key"])
    #expect(chained.status == 0, "\(chained.errors)")
    #expect(chained.output.contains("The log only grew since the older one"))
    #expect(chained.output.contains("Its opening is the closing of the older one."))
    #expect(chained.output.contains("Its tree holds your checkpoint of"))
    #expect(chained.output.contains("settled 3 (2 before)"))
    let every = try await check(["whole.json", "--since", "checkpoint"])
    #expect(every.status == 1, "it has no proof of growth from that checkpoint")
    #expect(every.errors.contains("write it again with --growth-from"))
    let complete = try await check(["whole.json"])
    #expect(complete.output.contains("No charge of the period is missing"))
    #expect(try await check(["first.json", "--since", "second.json"]).status == 1)
  }

  private func get(_ url: String) async throws -> String {
    let (data, _) = try await URLSession.shared.data(from: try #require(URL(string: url)))
    return String(decoding: data, as: UTF8.self)
  }

  /// A statement of a generated log, with one of a period of it.
  private func statements(
    seed: UInt64, steps: Int, formats: EventGenerator.Formats = .mixed
  ) async throws -> (whole: [UInt8], period: [UInt8], signer: CheckpointSigner) {
    let time = ManualTime()
    let log = try folder.openLog(folds: allFolds, time: time.source)
    defer { log.close() }
    var generator = EventGenerator(seed: seed, formats: formats)
    for _ in 0..<steps {
      time.advance(byMilliseconds: 40_000)
      let step = generator.next(at: time.now)
      _ = try await log.decide { _, _ in
        Decision(
          events: step.events, bodies: step.bodies, prunedBodies: step.prunedBodies, answer: ())
      }
    }
    return try statements(of: log)
  }

  /// A statement of a whole log, and one of its second half.
  private func statements(
    of log: EventLog
  ) throws -> (whole: [UInt8], period: [UInt8], signer: CheckpointSigner) {
    let signer = try CheckpointSigner.own(log.directory)
    func statement(from: Position, isEveryEvent: Bool) throws -> [UInt8] {
      var request = StatementWriter.Request(from: from, through: log.head)
      request.isEveryEvent = isEveryEvent
      var writer = StatementWriter(
        LogSource(log), signer: signer, mode: .simulated, published: [])
      var bytes: [UInt8] = []
      try writer.write(request) { bytes += $0 }
      return bytes
    }
    return (
      try statement(from: 0, isEveryEvent: true),
      try statement(from: log.head / 2, isEveryEvent: false), signer
    )
  }

  @Test(.timeLimit(.minutes(30)))
  func `both checkers come to the same verdict about every edited digit`() async throws {
    let (whole, period, _) = try await statements(seed: 8, steps: 45)
    for (bytes, stride) in [(period, 1), (whole, 11)] {
      var variants = [bytes]
      let digits = bytes.indices.filter { (48...57).contains(bytes[$0]) }
      for index in digits.enumerated().filter({ $0.offset % stride == 0 }).map(\.element) {
        var edited = bytes
        edited[index] = bytes[index] == 57 ? 48 : bytes[index] + 1
        variants.append(edited)
      }
      let own = variants.map { (try? StatementChecker.check($0)) != nil }
      #expect(own == [true] + Array(repeating: false, count: variants.count - 1))
      #expect(try PlainChecker.verdicts(variants, in: folder) == own)
    }
  }

  @Test(.timeLimit(.minutes(30)), arguments: 1...6 as ClosedRange<UInt64>)
  func `both checkers come to the same verdict about what was edited and sealed again`(
    seed: UInt64
  ) async throws {
    let (whole, period, signer) = try await statements(seed: seed, steps: 60)
    var random = SeededGenerator(seed: seed)
    var variants = [whole, period]
    for _ in 0..<60 {
      var bytes = random.chance(50) ? whole : period
      let mark = Array(",\n  \"seal\": ".utf8)
      let end = try #require(bytes.indices.last { bytes[$0...].starts(with: mark) })
      let index = random.int(20...end - 1)
      bytes[index] = random.pick(Array("0123456789abcXYZ+/\"{}[], ".utf8))
      variants.append(try sealed(bytes, end, signer))
    }
    let own = variants.map { (try? StatementChecker.check($0)) != nil }
    #expect(own.prefix(2) == [true, true])
    #expect(own.contains(false))
    #expect(try PlainChecker.verdicts(variants, in: folder) == own)
  }

  @Test(.timeLimit(.minutes(30)))
  func `both checkers divide over payers and leave out what only limits`() async throws {
    let log = try folder.openLog(folds: allFolds)
    defer { log.close() }
    for event in StatementStory.events { try await log.append([event]) }
    let (whole, period, signer) = try statements(of: log)
    for (name, bytes) in [("whole.json", whole), ("period.json", period)] {
      try write(String(decoding: bytes, as: UTF8.self), to: name)
      let ended = try await check([name])
      #expect(ended.status == 0, "\(ended.errors)")
      #expect(ended.output.contains("keepa:0fd8 tokens: settled 7"))
      #expect(ended.output.contains("budget spring model=small nano-EUR: settled 11"))
      #expect(!ended.output.contains("account acme"))
    }
    // No figure can be changed, whoever seals it.
    let mark = Array(",\n  \"seal\": ".utf8)
    var variants = [whole, period]
    for (bytes, stride) in [(whole, 11), (period, 5)] {
      let end = try #require(bytes.indices.last { bytes[$0...].starts(with: mark) })
      let digits = bytes.indices[20..<end].filter { (48...57).contains(bytes[$0]) }
      for index in digits.enumerated().filter({ $0.offset % stride == 0 }).map(\.element) {
        var edited = bytes
        edited[index] = bytes[index] == 57 ? 48 : bytes[index] + 1
        variants.append(try sealed(edited, end, signer))
      }
    }
    let own = variants.map { (try? StatementChecker.check($0)) != nil }
    #expect(own == [true, true] + Array(repeating: false, count: variants.count - 2))
    #expect(try PlainChecker.verdicts(variants, in: folder) == own)
  }

  @Test(.timeLimit(.minutes(30)))
  func `both checkers take statements of version 1`() async throws {
    let (whole, period, signer) = try await statements(seed: 4, steps: 60, formats: .first)
    let mark = Array(",\n  \"seal\": ".utf8)
    let variants = try [whole, period].flatMap { bytes in
      try ["1", "0", "3"].map { version in
        let text = String(decoding: bytes, as: UTF8.self)
        let older = Array(
          text.replacing("\"version\": 2", with: "\"version\": \(version)", maxReplacements: 1).utf8
        )
        let end = try #require(older.indices.last { older[$0...].starts(with: mark) })
        return try sealed(older, end, signer)
      }
    }
    let own = variants.map { (try? StatementChecker.check($0)) != nil }
    #expect(own == [true, false, false, true, false, false])
    #expect(try PlainChecker.verdicts(variants, in: folder) == own)
  }

  private func sealed(_ bytes: [UInt8], _ end: Int, _ signer: CheckpointSigner) throws -> [UInt8] {
    let text = StatementFormat.sealed(Array(bytes[..<end]))
    var json = JSONWriter()
    json.string(try signer.sign(text).string)
    return bytes[..<end] + Array(",\n  \"seal\": ".utf8) + json.bytes + Array("\n}\n".utf8)
  }

  @Test func `a wrong use ends with status 2, and what does not hold with 1`() async throws {
    let (whole, period, signer) = try await statements(seed: 2, steps: 60)
    try write(String(decoding: period, as: UTF8.self), to: "good.json")
    try write(String(decoding: whole, as: UTF8.self), to: "whole.json")
    try write("\(signer.verifier)\n", to: "key")
    let other = try #require(
      CheckpointSigner(seed: Array(repeating: 7, count: 32), mode: .simulated))
    try write("\(other.verifier)\n", to: "other-key")
    try write(
      try other.checkpoint(size: 10, root: Array(repeating: 1, count: 32)).string,
      to: "other-checkpoint")
    try write("nothing", to: "nothing")
    let edited = String(decoding: period, as: UTF8.self)
    try write(edited.replacing("\"settled\":1", with: "\"settled\":2"), to: "bad.json")

    for (arguments, status) in [
      (["good.json"], 0), (["good.json", "--key", "key"], 0),
      (["good.json", "--key", "other-key"], 1), (["bad.json"], 1), (["nothing"], 1),
      (["good.json", "--checkpoint", "other-checkpoint"], 1),
      (["good.json", "--since", "bad.json"], 1), (["good.json", "--since", "whole.json"], 0),
      (["missing.json"], 2), (["good.json", "--key", "nothing"], 2),
      (["good.json", "--key", "missing"], 2), (["good.json", "--checkpoint", "good.json"], 2),
      (["good.json", "--checkpoint", "nothing"], 2), (["good.json", "--since", "nothing"], 2),
      (["good.json", "--since", "missing"], 2), (["good.json", "--frobnicate"], 2), ([], 2),
      (["good.json", "bad.json"], 2),
    ] as [([String], Int32)] {
      let ended = try await check(arguments)
      #expect(ended.status == status, "\(arguments): \(ended.output) \(ended.errors)")
      if status != 0 {
        #expect(!ended.errors.isEmpty)
        #expect(ended.output.isEmpty)
      }
    }
  }

  @Test func `a statement is not written over a file, nor without a key, nor back to front`()
    async throws
  {
    #expect(
      try await Serving(["serve", "--simulate", "--port", "0"] + place, in: folder).end().status
        == 0)
    try write("mine", to: "taken.json")
    let taken = try await run(["audit", "--statement", "taken.json"] + place)
    #expect(taken.status == 1)
    #expect(taken.errors.contains("taken.json is there already"))
    #expect(try text(of: "taken.json") == "mine")
    let backwards = try await run(
      ["audit", "--statement", "new.json", "--from", "2", "--to", "1"] + place)
    #expect(backwards.status == 2)
    let both = try await run(
      ["audit", "--statement", "new.json", "--every-event", "--account", "acme"] + place)
    #expect(both.status != 0)
    let nowhere = try await run(["audit", "--every-event"] + place)
    #expect(nowhere.status == 2)
    try FileManager.default.removeItem(atPath: "\(folder.path)/data/checkpoint.key")
    let keyless = try await run(["audit", "--statement", "new.json"] + place)
    #expect(keyless.status == 1)
    #expect(keyless.errors.contains("the key that signs checkpoints is made when"))
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/new.json"))
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/new.json.new"))
  }

  @Test func `a service publishes a checkpoint at its start and at its end`() async throws {
    for round in 1...2 {
      let serving = try await Serving(
        ["serve", "--simulate", "--port", "0"] + place, in: folder)
      _ = try await serving.batch(["B00000000\(round)"])
      #expect(await serving.end().status == 0)
    }
    let directory = try DataDirectory.read("\(folder.path)/data")
    let notes = CheckpointFile(directory).notes()
    let key = try CheckpointSigner.read(of: directory).verifier
    #expect(notes.count >= 3)
    #expect(notes.allSatisfy { key.hasSigned($0.note) })
    let events = try await run(["events"] + place)
    #expect(notes.last?.checkpoint.size == UInt64(events.lines.count))
    #expect(try folder.contents().keys.contains("data/checkpoint.key 600"))
  }
}
