import Foundation
import TollbookTestSupport
import Testing

/// A folder seen through a mount that cannot be written, as containers and backups have it.
enum ReadOnlyMount {
  /// Whether this process may make one.
  static let isPossible: Bool = {
    guard let folder = try? TemporaryFolder() else { return false }
    let path = folder.path
    guard let process = process(["true"], of: path, at: path, in: path) else { return false }
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  /// A process that sees one folder at the place of another, and can only read it there.
  static func process(
    _ command: [String], of folder: String, at place: String, in directory: String
  ) -> Process? {
    let tool = URL(fileURLWithPath: "/usr/bin/unshare")
    guard FileManager.default.isExecutableFile(atPath: tool.path) else { return nil }
    let script = #"mount --bind "$1" "$2" && mount -o remount,ro,bind "$2" && shift 2 && exec "$@""#
    let process = Process()
    process.executableURL = tool
    process.arguments =
      [getuid() == 0 ? "-m" : "-rm", "sh", "-c", script, "sh", folder, place] + command
    process.currentDirectoryURL = URL(fileURLWithPath: directory)
    process.environment = [
      "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR": directory,
      "SWIFT_BACKTRACE": "enable=no",
    ]
    process.standardInput = FileHandle.nullDevice
    return process
  }
}

@Suite(.enabled(if: ReadOnlyMount.isPossible)) struct ReadOnlyMountTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/mounted", withIntermediateDirectories: true)
  }

  /// Runs the tool where the folder `data` is seen read-only as `mounted`.
  private func run(_ arguments: [String]) async throws -> Ended {
    let tool = Binary.process([], in: folder.path, environment: [:]).executableURL?.path ?? ""
    let process = try #require(
      ReadOnlyMount.process(
        [tool] + arguments, of: "\(folder.path)/data", at: "\(folder.path)/mounted",
        in: folder.path))
    let output = Lines()
    let errors = Lines()
    process.standardOutput = output.pipe
    process.standardError = errors.pipe
    try process.run()
    let texts = (await output.all(), await errors.all())
    process.waitUntilExit()
    return Ended(status: process.terminationStatus, output: texts.0, errors: texts.1)
  }

  private static let readings = [
    ["events"], ["verify"], ["audit"], ["log", "export", "--output", "log.export"],
  ]

  @Test func `a log that is written elsewhere is refused by name, and read when it is not`()
    async throws
  {
    let serving = try await Serving(
      ["serve", "--simulate", "--data-dir", "data", "--port", "0"], in: folder)
    for reading in Self.readings {
      let ended = try await run(reading + ["--data-dir", "mounted"])
      #expect(ended.status == 1, "\(ended)")
      #expect(ended.errors.contains("mounted is on a read-only file system and in use"))
      #expect(!ended.output.contains("damaged"))
    }
    _ = await serving.end()
    for reading in Self.readings {
      let ended = try await run(reading + ["--data-dir", "mounted"])
      #expect(ended.status == 0, "\(ended)")
    }
    try FileManager.default.removeItem(atPath: "\(folder.path)/data/tollbook.lock")
    let ended = try await run(["verify", "--data-dir", "mounted"])
    #expect(ended.status == 1)
    #expect(ended.errors.contains("nobody can tell whether it is written meanwhile"))
  }
}
