import Bytes
import Foundation
import Glibc
import LMDB
import Testing

/// A data file that is not what its pages need, and what else keeps an environment from being opened.
@Suite struct FileExtentTests {
  let folder: TemporaryFolder
  private var file: String { "\(folder.path)/data.mdb" }

  init() throws { folder = try TemporaryFolder() }

  private static let rows = 400

  /// Commits some rows, each commit replacing what the one before it wrote.
  ///
  /// - Returns: the bytes that the pages take.
  @discardableResult
  private func fill(thenBig: Bool = false) throws -> Int {
    let environment = try folder.open()
    let table = try environment.openTables(["a"])[0]
    for commit in 0..<4 {
      let value = [UInt8](repeating: UInt8(commit), count: 700)
      try environment.withWriteTransaction { txn in
        for row in 0..<Self.rows {
          try txn.put(value.span, forKey: UInt64(row).bigEndianBytes.span, in: table)
        }
      }
    }
    if thenBig {
      // Pages at the end that are given back before anything is written to them.
      let value = [UInt8](repeating: 9, count: 1 << 20)
      try environment.withWriteTransaction { txn in
        try txn.put(value.span, forKey: [1].span, in: table)
        _ = try txn.delete(key: [1].span, in: table)
      }
    }
    return try environment.statistics().usedBytes
  }

  private func cut(to bytes: Int) throws {
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file))
    try handle.truncate(atOffset: UInt64(bytes))
    try handle.close()
  }

  private func open(isReadOnly: Bool) throws -> Environment {
    try Environment(
      directory: folder.path,
      options: EnvironmentOptions(mapSize: 1 << 26, isReadOnly: isReadOnly))
  }

  @Test(arguments: [false, true])
  func `a file that lost pages is refused wherever it was cut, and stays as it is`(
    isReadOnly: Bool
  ) throws {
    let needed = try fill()
    let whole = try Data(contentsOf: URL(fileURLWithPath: file))
    #expect(whole.count == needed)
    // The last pages are those of the list of free pages, and of what was written last.
    for bytes in [needed - 1, needed - 4_096, needed - 65_536, needed / 2, 3 * 4_096, 2 * 4_096] {
      try whole.write(to: URL(fileURLWithPath: file))
      try cut(to: bytes)
      let error = #expect(throws: LMDBError.self) { try open(isReadOnly: isReadOnly) }
      #expect(error?.kind == .cutShort(bytes: bytes, needed: needed), "\(bytes)")
      #expect(error?.description.contains("\(bytes) bytes long") == true)
      #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == whole.prefix(bytes))
    }
  }

  @Test(arguments: [false, true])
  func `a file that ends before pages that were never written is sound`(
    isReadOnly: Bool
  ) throws {
    let needed = try fill(thenBig: true)
    let size = try Data(contentsOf: URL(fileURLWithPath: file)).count
    try #require(size < needed, "LMDB left out the free pages at the end")
    let environment = try open(isReadOnly: isReadOnly)
    let table = try environment.openTables(["a"])[0]
    let count = try environment.withReadTransaction { txn in
      var count = 0
      try txn.scan(table) { _, value in
        count += value.byte(at: 0) == 3 ? 1 : 0
        return .next
      }
      return count
    }
    #expect(count == Self.rows)
  }

  @Test func `the next commit lets the file reach to its last page`() throws {
    let needed = try fill(thenBig: true)
    do {
      let environment = try folder.open()
      let table = try environment.openTables(["b"])[0]
      try environment.put("on", for: "goes", in: table)
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: file)).count >= needed)
    try cut(to: needed - 4_096)
    #expect(throws: LMDBError.self) { try open(isReadOnly: true) }
  }

  @Test func `a map that does not fit is told with its size and the limit, and a reader maps less`()
    async throws
  {
    try fill()
    let path = folder.path
    await #expect(processExitsWith: .success) { [path = path as String] in
      var limit = rlimit(rlim_cur: 64 << 30, rlim_max: 64 << 30)
      try #require(setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0)
      let size = 1 << 38
      let error = #expect(throws: LMDBError.self) {
        try Environment(directory: path, options: EnvironmentOptions(mapSize: size))
      }
      #expect(error?.kind == .addressSpace(map: size, limit: 64 << 30))
      #expect(error?.description.contains("ulimit -v") == true)
      let reader = try Environment(
        directory: path,
        options: EnvironmentOptions(mapSize: size, isReadOnly: true, mayMapLess: true))
      #expect(reader.options.mapSize == 1 << 30)
      let table = try reader.openTables(["a"])[0]
      #expect(try reader.withReadTransaction { txn in try txn.count(in: table) } == 400)
    }
  }

  @Test func `slots that the disk has no room for are told before anything is mapped`()
    async throws
  {
    let path = folder.path
    await #expect(processExitsWith: .success) { [path = path as String] in
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 8_192, rlim_max: 8_192)
      try #require(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
      let error = #expect(throws: LMDBError.self) {
        try Environment(directory: path, options: EnvironmentOptions(mapSize: 1 << 26))
      }
      #expect(error?.isOutOfSpace == true)
    }
  }

  @Test func `the file of another user is named, with the right that is missing`() async throws {
    try fill()
    let path = folder.path
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: file)
    await #expect(processExitsWith: .success) { [path = path as String] in
      // Root may read everything.
      if getuid() == 0 { try #require(setuid(65_534) == 0) }
      let error = #expect(throws: LMDBError.self) {
        try Environment(directory: path, options: EnvironmentOptions(mapSize: 1 << 26))
      }
      guard case .denied(let reason) = error?.kind else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(reason.hasPrefix("\(path)/data.mdb may not be "))
      #expect(reason.contains("written by user \(getuid())"))
      #expect(reason.hasSuffix("has mode 400"))
    }
  }
}
