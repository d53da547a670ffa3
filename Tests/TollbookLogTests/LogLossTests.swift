import Foundation
import Glibc
import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport

/// A folder that had a log and has lost it, and one in which none could be begun.
@Suite struct LogLossTests {
  let folder: TemporaryFolder
  private var path: String { "\(folder.path)/data" }
  private var file: String { "\(path)/data.mdb" }

  init() throws { folder = try TemporaryFolder() }

  private func append(_ texts: [String]) async throws {
    let log = try folder.openLog()
    defer { log.close() }
    for text in texts { try await log.append([note(text)]) }
  }

  /// What is left of the data file.
  enum Left: CaseIterable, Sendable {
    case nothing, noBytes, twoPages

    var word: String {
      switch self {
      case .nothing: "missing"
      case .noBytes: "empty"
      case .twoPages: "without a single commit"
      }
    }

    func apply(to file: String) throws {
      try FileManager.default.removeItem(atPath: file)
      switch self {
      case .nothing: break
      case .noBytes: try Data().write(to: URL(fileURLWithPath: file))
      case .twoPages:
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent().path
        _ = try Environment(directory: folder, options: EnvironmentOptions(mapSize: 1 << 26))
      }
    }
  }

  /// Every way in which a log is opened.
  enum Way: CaseIterable, Sendable {
    case log, importer, rebuild, reader

    func open(_ path: String) throws {
      guard self != .reader else {
        let options = EnvironmentOptions(mapSize: 1 << 26, isReadOnly: true)
        _ = try DataDirectory.read(path).openEnvironment(options)
        return
      }
      let directory = try DataDirectory.own(path, mode: .simulated)
      switch self {
      case .log:
        try EventLog(
          directory, folds: [], time: ManualTime().source, options: .scratch, fail: { _ in }
        ).close()
      case .importer: _ = try LogImporter(directory, options: .scratch)
      default:
        do throws(RebuildError) {
          _ = try Rebuild.allViews(of: directory, folds: [], options: .scratch) { _, _ in }
        } catch {
          guard case .log(let cause) = error else { throw error }
          throw cause
        }
      }
    }
  }

  @Test(arguments: Left.allCases, Way.allCases)
  func `a log that was begun is not begun anew when its file is gone, and nothing is touched`(
    left: Left, way: Way
  ) async throws {
    try await append(["a", "b"])
    try left.apply(to: file)
    let before = try folder.contents()

    let error = #expect(throws: LogError.self) { try way.open(path) }

    guard case .directory(.unusable(path, let reason)) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reason.hasPrefix("\(file) is \(left.word), but the folder's format marker says"))
    #expect(try folder.contents() == before)
  }

  @Test func `checkpoints tell of a log even where the marker does not`() throws {
    do { _ = try folder.own() }
    try Data("signed\n".utf8).write(to: URL(fileURLWithPath: "\(path)/checkpoints"))
    let error = #expect(throws: LogError.self) { try Way.log.open(path) }
    #expect(error?.description.contains("\(path)/checkpoints tells of a log") == true)
  }

  @Test func `a folder whose owner was cut short before it began a log takes one`() async throws {
    do { _ = try folder.own() }
    try await append(["a"])
    let marker = try String(contentsOfFile: "\(path)/tollbook.format", encoding: .utf8)
    #expect(marker == "tollbook format \(DataDirectory.format) simulated\n")
  }

  @Test func `a file that was cut is damage that names both sizes`() async throws {
    try await append((0..<300).map { "\($0)" })
    let needed = try Data(contentsOf: URL(fileURLWithPath: file)).count
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file))
    try handle.truncate(atOffset: UInt64(needed / 2))
    try handle.close()
    // LMDB notes who reads in its lock file; nothing else may change.
    func contents() throws -> [String: Data?] {
      try folder.contents().filter { !$0.key.contains("lock.mdb") }
    }
    let before = try contents()
    for way in Way.allCases {
      let error = #expect(throws: LogError.self) { try way.open(path) }
      #expect(
        error?.description.contains("\(needed / 2) bytes are there and its pages take") == true)
    }
    #expect(try contents() == before)
  }

  @Test func `events that no commit sealed are damage, not an empty log`() async throws {
    try await append(["a"])
    do {
      let environment = try Environment(
        directory: path, options: EnvironmentOptions(mapSize: 1 << 30))
      let commits = try environment.openTables([LogTables.commitsName])[0]
      try Self.clear(commits, in: environment)
    }
    let error = #expect(throws: LogError.self) { try Way.log.open(path) }
    #expect(error?.description.contains("no commit that sealed them") == true)
  }

  private static func clear(_ table: Table, in environment: Environment) throws {
    try environment.withWriteTransaction { (transaction) throws(LMDBError) in
      try transaction.clear(table)
    }
  }

  @Test func `what was made for a log that could not be begun is removed`() async throws {
    let path = path
    await #expect(processExitsWith: .success) { [path = path as String] in
      var limit = rlimit(rlim_cur: 64 << 30, rlim_max: 64 << 30)
      try #require(setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0)
      let directory = try DataDirectory.own(path, mode: .simulated)
      var options = EventLog.Options.scratch
      options.mapSize = 1 << 38
      let error = #expect(throws: LogError.self) {
        try EventLog(
          directory, folds: [], time: ManualTime().source, options: options, fail: { _ in })
      }
      #expect(error?.description.contains("\(1 << 38) bytes (TOLLBOOK_MAP_SIZE)") == true)
      #expect(error?.description.contains("\(64 << 30) bytes (ulimit -v)") == true)
    }
    #expect(try folder.contents().isEmpty)
  }

  @Test func `the file of another user is named in a folder that is read`() async throws {
    try await append(["a"])
    let path = path
    for folder in [folder.path, path] {
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder)
    }
    await #expect(processExitsWith: .success) { [path = path as String] in
      // Root may read everything.
      if getuid() == 0 {
        try #require(setuid(65_534) == 0)
      } else {
        chmod("\(path)/tollbook.format", 0)
      }
      let error = #expect(throws: DataDirectoryError.self) { try DataDirectory.read(path) }
      #expect(
        error?.description.contains("\(path)/tollbook.format may not be read by user \(getuid())")
          == true)
    }
  }
}
