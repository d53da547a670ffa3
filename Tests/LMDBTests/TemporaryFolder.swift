import Bytes
import Foundation
import LMDB

/// A folder of its own for one test, removed with the value.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "tollbook-lmdb-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Opens an environment that does not wait for the disk, unless told to.
  func open(mapSize: Int = 1 << 26, durable: Bool = false) throws -> Environment {
    try Environment(
      directory: path,
      options: EnvironmentOptions(mapSize: mapSize, unsafeWithoutSync: !durable))
  }
}

/// Repeatable random numbers (SplitMix64, Steele and others 2014).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

func bytes(_ text: String) -> [UInt8] { [UInt8](text.utf8) }

extension Environment {
  /// Synchronous doors, since exit tests and other async tests may not write directly.
  func put(_ value: String, for key: String, in table: Table) throws {
    try withWriteTransaction { txn in
      try txn.put(value.utf8.span, forKey: key.utf8.span, in: table)
    }
  }

  func text(for key: String, in table: Table) throws -> String? {
    try withReadTransaction { txn in
      try txn.withValue(forKey: key.utf8.span, in: table) { $0.utf8String } ?? nil
    }
  }
}

extension ReadTransaction {
  /// All entries as texts, `key=value`.
  borrowing func entries(of table: Table, descending: Bool = false) throws -> [String] {
    var found: [String] = []
    try scan(table, descending: descending) { key, value in
      found.append("\(key.utf8String ?? "?")=\(value.utf8String ?? "?")")
      return .next
    }
    return found
  }
}
