package import Foundation
import LMDB
package import TollbookLog

/// A folder of its own for one test, removed with the value.
package final class TemporaryFolder: Sendable {
  package let path: String
  private let isOwner: Bool

  package init() throws {
    path = NSTemporaryDirectory() + "tollbook-test-" + UUID().uuidString
    isOwner = true
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  /// That of another process, which removes it.
  package init(keeping path: String) {
    self.path = path
    isOwner = false
  }

  deinit { if isOwner { try? FileManager.default.removeItem(atPath: path) } }

  /// Everything inside, by path below the folder: the bytes of files, with their permissions; nil for folders.
  package func contents() throws -> [String: Data?] {
    var found: [String: Data?] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
      let attributes = try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")
      let isFolder = attributes[.type] as? FileAttributeType == .typeDirectory
      let permissions = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
      found["\(name) \(String(permissions, radix: 8))"] = .some(
        isFolder ? nil : FileManager.default.contents(atPath: "\(path)/\(name)"))
    }
    return found
  }

  /// Opens a log in it, or in a folder below it. Nothing of it is flushed unless the options say so.
  ///
  /// The log has to be closed, and all references to it given up, before the folder can be opened again.
  package func openLog(
    _ name: String = "data", folds: [Fold] = [], time: TimeSource = ManualTime().source,
    options: EventLog.Options = .scratch, mode: LogMode = .simulated, baseRows: BaseRows? = nil,
    fail: @escaping @Sendable (LogError) -> Void = { fatalError("the log failed: \($0)") }
  ) throws -> EventLog {
    let directory = try own(name, mode: mode)
    return try whenGivenUp {
      try EventLog(
        directory, folds: folds, time: time, options: options, baseRows: baseRows, fail: fail)
    }
  }

  /// Takes ownership of a data directory in it.
  package func own(
    _ name: String = "data", mode: LogMode = .simulated
  ) throws -> DataDirectory {
    try whenGivenUp { try DataDirectory.own("\(path)/\(name)", mode: mode) }
  }

  /// Opens what this process may have given up a moment ago: while another test starts a process, that one holds copies
  /// of our files for an instant, and so the lock; and the thread that lets go of a log last may still be at it.
  private func whenGivenUp<Opened>(_ open: () throws -> Opened) throws -> Opened {
    for _ in 0..<100_000 {
      do { return try open() } catch  where Self.isTaken(error) { sched_yield() }
    }
    return try open()
  }

  private static func isTaken(_ error: any Error) -> Bool {
    switch error {
    case DataDirectoryError.inUse: return true
    case LogError.storage(let cause):
      guard case .alreadyOpen = cause.kind else { return false }
      return true
    default: return false
    }
  }
}

extension EventLog.Options {
  /// A small log that is not flushed to the disk.
  package static var scratch: EventLog.Options {
    var options = EventLog.Options()
    options.mapSize = 1 << 30
    options.reserveBytes = 1 << 20
    options.unsafeWithoutSync = true
    return options
  }
}
