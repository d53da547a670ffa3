import Foundation
package import TollbookEvents
import TollbookLog

/// The snapshots that a data directory keeps, as files in its folder `snapshots`.
package struct SnapshotShelf: Sendable {
  /// A file on the shelf.
  package struct Entry: Sendable {
    /// Its name, without folder.
    package let file: String
    package let path: String
    package let bytes: UInt64
    /// What it says of itself; only its first section was looked at, and that the last one is there.
    package let manifest: Result<SnapshotManifest, SnapshotProblem>
    /// Whether the log rests on it.
    package let isBase: Bool
  }

  static let ending = ".snapshot"

  /// The folder, which need not be there.
  package let folder: String
  private let directory: String

  /// - Parameter directory: the path of a data directory.
  package init(directory: String) {
    self.directory = directory
    folder = DataDirectory.snapshots(of: directory)
  }

  /// What a snapshot of that position is called.
  package static func name(of position: Position, copy: Int = 1) -> String {
    let digits = String(position)
    let padding = String(repeating: "0", count: max(0, 12 - digits.count))
    return "tollbook-\(padding)\(digits)\(copy > 1 ? "-\(copy)" : "")\(ending)"
  }

  /// A name that no file has yet: of one position there may be several, with bodies and without.
  func freeName(of position: Position) -> String {
    var copy = 1
    while FileManager.default.fileExists(atPath: "\(folder)/\(Self.name(of: position, copy: copy))")
    {
      copy += 1
    }
    return Self.name(of: position, copy: copy)
  }

  /// All snapshots, by position; damaged ones stand first.
  package func list() throws(SnapshotProblem) -> [Entry] {
    let base: DataDirectory.Base?
    do throws(DataDirectoryError) { base = try DataDirectory.base(of: directory) } catch {
      throw .unreadable(directory, reason: "\(error)")
    }
    let entries = try names().filter { $0.hasSuffix(Self.ending) }.sorted().map { name in
      entry(name, isBase: name == base?.snapshot)
    }
    return entries.sorted { left, right in
      (left.order, left.file) < (right.order, right.file)
    }
  }

  private func entry(_ name: String, isBase: Bool) -> Entry {
    let path = "\(folder)/\(name)"
    let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber
    return Entry(
      file: name, path: path, bytes: size?.uint64Value ?? 0,
      manifest: Result { () throws(SnapshotProblem) in try SnapshotReader.whole(path).manifest },
      isBase: isBase)
  }

  private func names() throws(SnapshotProblem) -> [String] {
    guard FileManager.default.fileExists(atPath: folder) else { return [] }
    do { return try FileManager.default.contentsOfDirectory(atPath: folder) } catch {
      throw .unreadable(folder, reason: error.reason)
    }
  }

  /// Where a snapshot is written until it is whole: what a take that was cut short has left there goes with the next.
  var partial: String { "\(folder)/new\(Self.ending).partial" }

  func makeFolder() throws(SnapshotProblem) {
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch { throw .unwritable(folder, reason: error.reason) }
  }

  private func remove(_ name: String) throws(SnapshotProblem) {
    do { try FileManager.default.removeItem(atPath: "\(folder)/\(name)") } catch {
      let isGone = !FileManager.default.fileExists(atPath: "\(folder)/\(name)")
      guard isGone else { throw .unwritable("\(folder)/\(name)", reason: error.reason) }
    }
  }
}

// MARK: Pruning

extension SnapshotShelf {
  /// Removes old snapshots.
  ///
  /// - Returns: those that were removed.
  @discardableResult
  package func prune(
    keep: Int, takenByHand: Bool = false
  ) throws(SnapshotProblem) -> [Entry] {
    let old = Self.old(try list(), keep: keep, takenByHand: takenByHand)
    for entry in old { try remove(entry.file) }
    return old
  }

  /// Those that may go: all but the newest `keep` of the automatic ones, and of the others only if that is asked for.
  /// Never the one that the log rests on, and none that cannot be read: somebody should look at it first.
  package static func old(
    _ entries: [Entry], keep: Int, takenByHand: Bool = false
  ) -> [Entry] {
    let candidates = entries.filter { entry in
      guard !entry.isBase, case .success(let manifest) = entry.manifest else { return false }
      return manifest.isAutomatic || takenByHand
    }
    return Array(candidates.dropLast(max(0, keep)))
  }
}

extension SnapshotShelf.Entry {
  /// By position, then by when it was taken; what cannot be read comes first.
  fileprivate var order: (Position, Int64) {
    guard case .success(let manifest) = manifest else { return (0, 0) }
    return (manifest.position, manifest.taken.milliseconds)
  }
}

private func < (
  left: ((Position, Int64), String), right: ((Position, Int64), String)
) -> Bool {
  left.0 == right.0 ? left.1 < right.1 : left.0 < right.0
}
