import Foundation
import JSONText
import Testing
import TollbookTestSupport

@Suite struct SnapshotCommandTests {
  private let folder: TemporaryFolder
  private let place = ["--data-dir", "data"]

  init() throws { folder = try TemporaryFolder() }

  private func run(_ arguments: [String]) async throws -> Ended {
    try await Binary.run(arguments, in: folder)
  }

  /// A directory with two products in it, that nobody has open.
  private func fill() async throws {
    let serving = try await Serving(["serve", "--simulate", "--port", "0"] + place, in: folder)
    _ = try await serving.batch(["B09T2ZLMHB", "B000000002"])
    #expect(await serving.end().status == 0)
  }

  /// The value of a line such as `state  4711`.
  private func value(_ name: String, of ended: Ended) throws -> String {
    let line = try #require(
      ended.lines.first { $0.hasPrefix("\(name) ") }, "\(ended.output)\(ended.errors)")
    return line.dropFirst(name.count).trimmingCharacters(in: .whitespaces)
  }

  @Test func `what is taken with bodies and lost is restored to the same state`() async throws {
    try await fill()
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/backup", withIntermediateDirectories: false)
    let taken = try await run(
      ["snapshot", "take", "--bodies", "--copy-to", "backup", "--note", "before"] + place)
    #expect(taken.status == 0, "\(taken.errors)")
    let state = try value("state", of: taken)
    let copy = try value("copy", of: taken)
    #expect(try value("with", of: taken) == "2 bodies")
    try FileManager.default.removeItem(atPath: "\(folder.path)/data")

    let restored = try await run(["restore", "--snapshot", copy] + place)
    #expect(restored.status == 0, "\(restored.errors)")
    #expect(try value("state", of: restored) == state)
    #expect(restored.output.contains("base   position"))

    let verified = try await run(["verify"] + place)
    #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
    let serving = try await Serving(["serve", "--simulate", "--port", "0"] + place, in: folder)
    let answer = try await serving.batch(["B09T2ZLMHB"])
    #expect(answer["stats"]?["tokens_used"]?.int64 == 0)
    #expect(await serving.end().status == 0)
  }

  @Test func `a file that lost its end is not described as if it were whole`() async throws {
    try await fill()
    let taken = try await run(["snapshot", "take"] + place)
    let path = "\(folder.path)/\(try value("file", of: taken))"
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(try await run(["snapshot", "inspect", path]).status == 0)
    for size in [whole.count - 1, whole.count - 40, whole.count * 2 / 3] {
      try whole.prefix(size).write(to: URL(fileURLWithPath: path))
      let cut = try await run(["snapshot", "inspect", path])
      #expect(cut.status == 1)
      #expect(cut.output.isEmpty)
      #expect(cut.errors.contains("is cut: it ends at byte \(size), before its last section"))
      let listed = try await run(["snapshot", "list"] + place)
      #expect(listed.output.contains("damaged"))
    }
  }

  @Test func `a copy has its name when it is whole, and takes nobody else's`() async throws {
    try await fill()
    let first = try await run(["snapshot", "take", "--copy-to", "copy"] + place)
    #expect(first.status == 0, "\(first.errors)")
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/copy"))
        == Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\(try value("file", of: first))")))
    // A full disk.
    let binary = Binary.process([], in: folder.path, environment: [:]).executableURL?.path ?? ""
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.arguments = [
      "-c",
      "mkdir full && mount -t tmpfs -o size=4k tmpfs full 2> /dev/null || exit 77;"
        + " '\(binary)' snapshot take --copy-to full/late --data-dir data > /dev/null 2> said;"
        + " echo $? > status; ls full > left; umount full",
    ]
    process.environment = ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin"]
    try process.run()
    process.waitUntilExit()
    // Only root mounts.
    guard process.terminationStatus != 77 else { return }
    func text(_ name: String) throws -> String {
      try String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)
    }
    #expect(try text("status") == "1\n")
    #expect(try text("left") == "")
    #expect(try text("said").contains("but not copied to full/late"))
  }

  @Test func `a snapshot and an export of the log lose nothing`() async throws {
    try await fill()
    #expect(try await run(["snapshot", "take"] + place).status == 0)
    let exported = try await run(["log", "export", "--output", "all.export"] + place)
    try #require(exported.status == 0, "\(exported.errors)")
    let listed = try await run(["snapshot", "list"] + place)
    let file = try #require(listed.lines.last?.split(separator: " ").first)

    let restored = try await run(
      [
        "restore", "--snapshot", "data/snapshots/\(file)", "--log", "all.export", "--data-dir",
        "new",
      ])
    #expect(restored.status == 0, "\(restored.errors)")
    #expect(!restored.output.contains("base"))
    let alone = try await run(["restore", "--log", "all.export", "--data-dir", "alone"])
    #expect(try value("state", of: alone) == value("state", of: restored))
    let events = try await run(["events", "--format", "json"] + place)
    #expect(
      try await run(["events", "--format", "json", "--data-dir", "new"]).output == events.output)
  }

  @Test func `the owner takes it while it serves, and lists it`() async throws {
    let serving = try await Serving(["serve", "--simulate", "--port", "0"] + place, in: folder)
    _ = try await serving.batch(["B09T2ZLMHB"])

    let taken = try await run(["snapshot", "take", "--bodies", "--note", "by hand"] + place)
    #expect(taken.status == 0, "\(taken.errors)")
    let listed = try await serving.get("/snapshots")["snapshots"]?.array?.first
    #expect(listed?["state"]?.string == (try value("state", of: taken)))
    #expect(listed?["bodies"]?.int64 == 1)
    #expect(listed?["automatic"]?.bool == false)
    #expect(listed?["note"]?.string == "by hand")
    let events = try await run(["events", "--type", "SnapshotTaken"] + place)
    #expect(events.lines.count == 1)
    let verified = try await run(["verify"] + place)
    #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
    #expect(await serving.end().status == 0)
  }

  @Test func `snapshots are listed, looked into, verified, compared and pruned`() async throws {
    try await fill()
    let first = try await run(["snapshot", "take"] + place)
    let second = try await run(["snapshot", "take", "--bodies", "--note", "second"] + place)
    let names = try [first, second].map { ended in
      (try value("file", of: ended) as NSString).lastPathComponent
    }

    let listed = try await run(["snapshot", "list"] + place)
    #expect(listed.lines.count == 3)
    #expect(listed.lines[2].hasPrefix(names[1]))
    #expect(listed.lines[2].hasSuffix("second"))
    let inspected = try await run(["snapshot", "inspect", names[1]] + place)
    #expect(try value("state", of: inspected) == value("state", of: second))
    #expect(inspected.output.contains(".entries"))
    let verified = try await run(["snapshot", "verify", names[1]] + place)
    #expect(verified.status == 0)
    #expect(try value("state", of: verified) == value("state", of: second))
    let diff = try await run(["snapshot", "diff"] + names + place)
    #expect(diff.status == 0)
    #expect(diff.output.contains("metrics@"))
    let pruned = try await run(["snapshot", "prune", "--keep", "0"] + place)
    #expect(pruned.output == "There is nothing to remove.\n")
    let dry = try await run(["snapshot", "prune", "--keep", "1", "--by-hand", "--dry-run"] + place)
    #expect(dry.output == "would remove  \(names[0])\n")
    let gone = try await run(["snapshot", "prune", "--keep", "1", "--by-hand"] + place)
    #expect(gone.output == "removed  \(names[0])\n")
    #expect(try await run(["snapshot", "list"] + place).lines.count == 2)
  }

  @Test func `a damaged snapshot is named with the place, and nothing is restored`() async throws {
    try await fill()
    let taken = try await run(["snapshot", "take", "--bodies"] + place)
    let path = "\(folder.path)/" + (try value("file", of: taken))
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: URL(fileURLWithPath: "\(folder.path)/bad.snapshot"))
    let before = try folder.contents()

    for arguments in [
      ["snapshot", "verify", "bad.snapshot"],
      ["restore", "--snapshot", "bad.snapshot", "--data-dir", "new"],
    ] {
      let ended = try await run(arguments)
      #expect(ended.status == 1)
      #expect(ended.errors.contains("bad.snapshot is damaged in "), "\(ended.errors)")
      #expect(ended.errors.contains(" at byte "), "\(ended.errors)")
    }
    let over = try await run(["restore", "--snapshot", path] + place)
    #expect(over.status == 1)
    #expect(over.errors.contains("is not empty"))
    #expect(try folder.contents() == before)
  }

  @Test(arguments: [
    (["restore"], "--snapshot"), (["snapshot", "inspect"], "file"),
    (["snapshot", "prune", "--keep", "-1"], "--keep"), (["snapshot", "diff", "a"], "new"),
  ])
  func `what cannot be meant ends with status 2`(arguments: [String], word: String) async throws {
    let ended = try await run(arguments)

    #expect(ended.status == 2)
    #expect(ended.errors.contains(word), "\(ended.errors)")
    #expect(try folder.contents().isEmpty)
  }

  @Test(arguments: [
    ["snapshot"], ["snapshot", "take"], ["snapshot", "list"], ["snapshot", "inspect"],
    ["snapshot", "verify"], ["snapshot", "diff"], ["snapshot", "prune"], ["restore"],
  ])
  func `every command explains itself within the width of a terminal`(
    command: [String]
  ) async throws {
    let help = try await run(command + ["--help"])

    #expect(help.status == 0)
    #expect(help.output.hasPrefix("OVERVIEW: "))
    let wide = help.lines.filter { $0.count > 80 && !$0.hasPrefix("USAGE:") }
    #expect(wide.isEmpty)
  }

  @Test func `simulated data is not restored to the folder of real data`() async throws {
    try await fill()
    let taken = try await run(["snapshot", "take"] + place)
    let path = try value("file", of: taken)

    let ended = try await run(["restore", "--snapshot", path])
    #expect(ended.status == 1)
    #expect(ended.errors.contains("--simulate"))
    let right = try await run(["restore", "--snapshot", path, "--simulate"])
    #expect(right.status == 0, "\(right.errors)")
    #expect(right.output.hasPrefix("Restored ./tollbook-simulated, simulated data."))
  }
}
