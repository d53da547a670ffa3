import Foundation
import Glibc
import LMDB
import Testing
import TollbookLog
import TollbookTestSupport

@Suite struct DataDirectoryTests {
  let folder: TemporaryFolder
  private var path: String { "\(folder.path)/data" }

  init() throws { folder = try TemporaryFolder() }

  /// Expects a refusal with a message, and that nothing in the folder is touched.
  private func expectRefusal(
    of path: String? = nil, mode: LogMode = .simulated, _ expected: DataDirectoryError,
    says words: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let before = try folder.contents()
    let error = #expect(throws: DataDirectoryError.self, sourceLocation: sourceLocation) {
      try DataDirectory.own(path ?? self.path, mode: mode)
    }
    #expect(error == expected, sourceLocation: sourceLocation)
    #expect(error?.description.contains(words) == true, sourceLocation: sourceLocation)
    #expect(try folder.contents() == before, sourceLocation: sourceLocation)
  }

  private func write(_ text: String, to name: String) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try text.write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8)
  }

  @Test(arguments: [LogMode.real, .simulated])
  func `the first owner makes the folder, for itself alone`(mode: LogMode) throws {
    let deep = "\(path)/deeper"
    let directory = try DataDirectory.own(deep, mode: mode)
    #expect(directory.mode == mode)
    #expect(try DataDirectory.mode(of: deep) == mode)
    let contents = try folder.contents()
    #expect(
      contents.keys.sorted() == [
        "data 700", "data/deeper 700", "data/deeper/tollbook.format 600",
        "data/deeper/tollbook.lock 600",
      ])
    #expect(
      contents["data/deeper/tollbook.format 600"]
        == Data("tollbook format \(DataDirectory.format) \(mode.rawValue) new\n".utf8))
  }

  @Test func `an empty folder is taken, and taken again by the next owner`() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    do { _ = try folder.own() }
    let again = try folder.own()
    #expect(again.mode == .simulated)
    #expect(DataDirectory.isOwned(path))
  }

  @Test func `what an owner leaves who was cut short is taken`() throws {
    try write("", to: "tollbook.lock")
    try write("tollb", to: "tollbook.format.new")
    let directory = try DataDirectory.own(path, mode: .real)
    #expect(try DataDirectory.mode(of: directory.path) == .real)
  }

  @Test func `a directory in use is refused`() throws {
    let owner = try DataDirectory.own(path, mode: .simulated)
    try expectRefusal(.inUse(path), says: "in use by another tollbook")
    #expect(DataDirectory.isOwned(owner.path))
  }

  @Test(arguments: [true, false])
  func `a child that was forked while it was owned, or read, does not keep the next owner away`(
    isOwned: Bool
  ) throws {
    var holders: [any Sendable] = [try folder.own()]
    if !isOwned {
      holders.removeAll()
      holders = [try DataDirectory.read(path).keepingOwnersAway()]
    }
    // What a fork leaves to the child until its exec: the same open file, once more.
    let inherited = try #require(try openFiles(of: "\(path)/tollbook.lock").map { dup($0) }.first)
    defer { close(inherited) }
    #expect(throws: DataDirectoryError.inUse(path)) { try folder.own() }
    holders.removeAll()
    #expect(!DataDirectory.isOwned(path))
    _ = try DataDirectory.own(path, mode: .simulated)
  }

  /// The descriptors of this process that have a file open.
  private func openFiles(of path: String) throws -> [Int32] {
    let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    return try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter {
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == real
    }.compactMap { Int32($0) }
  }

  @Test func `a directory in use by another process is refused until that is killed`()
    async throws
  {
    let path = path
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let owner = try DataDirectory.own(path, mode: .simulated)
      #expect(throws: DataDirectoryError.inUse(path)) {
        try DataDirectory.own(path, mode: .simulated)
      }
      withExtendedLifetime(owner) { _ = kill(getpid(), SIGKILL) }
    }
    #expect(!DataDirectory.isOwned(path))
    _ = try DataDirectory.own(path, mode: .simulated)
  }

  @Test func `a newer format is refused`() throws {
    let newer = DataDirectory.format + 1
    try write("tollbook format \(newer) simulated\n", to: "tollbook.format")
    try expectRefusal(.newerFormat(path, format: newer), says: "format \(newer)")
    #expect(throws: DataDirectoryError.newerFormat(path, format: newer)) {
      try DataDirectory.read(path)
    }
  }

  @Test func `an older format is kept until it is raised, and all else in the marker stays`() throws
  {
    try write("tollbook format 1 simulated\n", to: "tollbook.format")
    let directory = try folder.own()
    #expect(try directory.writtenFormat() == 1)
    try directory.rest(on: .init(position: 9, snapshot: "a.snapshot"))
    #expect(try directory.writtenFormat() == 1)
    try directory.raiseFormat()
    try directory.raiseFormat()
    #expect(try directory.writtenFormat() == DataDirectory.format)
    #expect(try DataDirectory.base(of: path) == .init(position: 9, snapshot: "a.snapshot"))
    let text = try String(contentsOfFile: "\(path)/tollbook.format", encoding: .utf8)
    #expect(
      text == "tollbook format \(DataDirectory.format) simulated base 9 a.snapshot\n")
  }

  @Test func `the other mode is refused`() throws {
    try write("tollbook format 1 real\n", to: "tollbook.format")
    try expectRefusal(.otherMode(path, .real), says: "holds real data")
    try write("tollbook format 1 simulated\n", to: "tollbook.format")
    try expectRefusal(mode: .real, .otherMode(path, .simulated), says: "Add --simulate")
  }

  @Test(arguments: ["photo.jpg", "data.mdb", ".hidden", "tollbook.forma"])
  func `a folder with somebody's files is refused`(name: String) throws {
    try write("precious", to: name)
    try expectRefusal(.notOurs(path), says: "not tollbook's")
  }

  @Test(arguments: ["", "tollbook", "tollbook format x real", "tollbook format 1 both", "\u{0}"])
  func `a marker that cannot be read is refused`(text: String) throws {
    try write(text, to: "tollbook.format")
    try expectRefusal(.notOurs(path), says: "not tollbook's")
  }

  @Test func `a file in place of a folder is refused`() throws {
    try "precious".write(toFile: path, atomically: false, encoding: .utf8)
    try expectRefusal(.unusable(path, reason: "it is not a folder"), says: "not a folder")
    let below = "\(path)/below"
    let error = #expect(throws: DataDirectoryError.self) {
      try DataDirectory.own(below, mode: .simulated)
    }
    #expect(error?.description.hasPrefix("\(below) cannot be used: ") == true)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
  }

  @Test func `a parent or a folder that may not be written is refused`() async throws {
    let parent = folder.path
    let own = "\(parent)/own"
    try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
    for path in [own, parent] {
      try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: path)
    }
    let before = try folder.contents()
    await #expect(processExitsWith: .success) { [parent = parent as String] in
      // Root may write everywhere.
      if getuid() == 0 { try #require(setuid(65_534) == 0) }
      for name in ["new", "own"] {
        let error = #expect(throws: DataDirectoryError.self) {
          try DataDirectory.own("\(parent)/\(name)", mode: .simulated)
        }
        #expect(error?.description.hasPrefix("\(parent)/\(name) cannot be used: ") == true)
      }
    }
    #expect(try folder.contents() == before)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: parent)
  }

  @Test func `a reader stands beside an owner and takes nothing`() throws {
    let owner = try DataDirectory.own(path, mode: .simulated)
    let before = try folder.contents()
    let reader = try DataDirectory.read(path)
    #expect(reader.mode == .simulated)
    #expect(try folder.contents() == before)
    #expect(throws: DataDirectoryError.inUse(path)) {
      try DataDirectory.own(path, mode: .simulated)
    }
    #expect(owner.path == reader.path)
    #expect(throws: DataDirectoryError.missing("\(folder.path)/none")) {
      try DataDirectory.read("\(folder.path)/none")
    }
  }

  @Test func `who reads without writing at all keeps owners away, and gives way to one`() throws {
    do {
      let owner = try DataDirectory.own(path, mode: .simulated)
      let error = #expect(throws: DataDirectoryError.writtenElsewhere(path)) {
        try DataDirectory.read(path).keepingOwnersAway()
      }
      #expect(error?.description.contains("on a read-only file system and in use") == true)
      withExtendedLifetime(owner) {}
    }
    let reader = try DataDirectory.read(path)
    do {
      let first = try reader.keepingOwnersAway()
      let second = try reader.keepingOwnersAway()
      #expect(!DataDirectory.isOwned(path))
      #expect(throws: DataDirectoryError.inUse(path)) {
        try DataDirectory.own(path, mode: .simulated)
      }
      withExtendedLifetime((first, second)) {}
    }
    _ = try folder.own()
    try FileManager.default.removeItem(atPath: "\(path)/tollbook.lock")
    let error = #expect(throws: DataDirectoryError.self) { try reader.keepingOwnersAway() }
    #expect(error?.description.contains("it has no tollbook.lock that could be read") == true)
  }

  @Test func `an owner is seen by who may only read its lock`() async throws {
    let owner = try DataDirectory.own(path, mode: .simulated)
    for (name, mode) in [("", 0o755), ("/tollbook.lock", 0o444)] {
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path + name)
    }
    let path = path
    await #expect(processExitsWith: .success) { [path = path as String] in
      // Root may write everywhere.
      if getuid() == 0 { try #require(setuid(65_534) == 0) }
      #expect(DataDirectory.isOwned(path))
    }
    withExtendedLifetime(owner) {}
  }

  @Test func `a log whose file of readers is gone is not read beside its writer`() async throws {
    let log = try folder.openLog()
    try await log.append([note("1")])
    try FileManager.default.removeItem(atPath: "\(path)/lock.mdb")
    let options = EnvironmentOptions(isReadOnly: true)
    let error = #expect(throws: LogError.self) {
      try DataDirectory.read(path).openEnvironment(options)
    }
    #expect(error?.description.contains("lock.mdb is missing while another tollbook uses") == true)
    #expect(!FileManager.default.fileExists(atPath: "\(path)/lock.mdb"))
    log.close()
  }

  @Test func `another process verifies a log beside its owner`() async throws {
    let log = try folder.openLog()
    defer { log.close() }
    try await log.append((0..<300).map { note("\($0)") })
    let path = path
    await #expect(processExitsWith: .success) { [path = path as String] in
      let directory = try DataDirectory.read(path)
      let environment = try Environment(
        directory: directory.path, options: EnvironmentOptions(isReadOnly: true))
      let report = try LogVerifier(environment).verify()
      #expect(report.damages == [])
      #expect(report.records == 300)
    }
    #expect(try await log.append([note("on")]).answer == 301)
  }
}
