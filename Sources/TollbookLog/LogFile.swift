import Files
import Foundation
package import LMDB

/// The data file of a log. Where a log was begun it is there: a folder that has lost it is refused, since a log begun
/// anew in its place would know of nothing that was paid for.
enum LogFile {
  static let name = "data.mdb"
  static let lockName = "lock.mdb"
  /// Where the roots of the log are published; see `CheckpointFile`.
  private static let checkpointsName = "checkpoints"

  /// What is missing of a log that was begun; nil: nothing is, or none was begun.
  static func loss(in directory: DataDirectory) throws(DataDirectoryError) -> String? {
    let file = "\(directory.path)/\(name)"
    let state: String
    do throws(SystemError) {
      let size = try SystemCalls.size(ofFile: file)
      // Before its first commit it has two pages and nothing in them.
      if size > 2 * Int64(getpagesize()) { return nil }
      state = size == 0 ? "empty" : "without a single commit"
    } catch {
      guard error.code == ENOENT else { return nil }
      state = "missing"
    }
    let checkpoints = "\(directory.path)/\(checkpointsName)"
    let published = try? SystemCalls.size(ofFile: checkpoints)
    if let published, published > 0 {
      return "\(file) is \(state), but \(checkpoints) tells of a log that was there"
    }
    if try directory.isNew { return nil }
    return "\(file) is \(state), but the folder's format marker says that a log was begun there"
  }
}

extension LogFile {
  /// Whether somebody writes to the log while the file with the reader slots is gone from its folder: one made anew would
  /// not be the writer's.
  fileprivate static func hasLostItsLocks(in directory: DataDirectory) -> Bool {
    let files = FileManager.default
    return !files.fileExists(atPath: "\(directory.path)/\(lockName)")
      && files.fileExists(atPath: "\(directory.path)/\(name)")
      && DataDirectory.isOwned(directory.path)
  }
}

extension DataDirectory {
  /// Opens the environment that the log of the directory is in, and creates it if none was begun there yet.
  ///
  /// Where a reader cannot tell the writer of itself, on a read-only file system, the environment holds the owner's lock
  /// as long as it is open.
  ///
  /// - Throws: `.directory` if there was a log that is not there any more, or if it may be written while it is read and
  ///   nobody would know; `.storage` if LMDB cannot open it.
  package func openEnvironment(
    _ options: EnvironmentOptions
  ) throws(LogError) -> Environment {
    let loss = try LogError.marking { () throws(DataDirectoryError) in try LogFile.loss(in: self) }
    if let loss {
      throw .directory(
        .unusable(
          path,
          reason: "\(loss); put the file back, or restore a snapshot or an export into another"
            + " folder, for no log is begun anew in its place (if there never was one, remove the"
            + " folder)"))
    }
    if options.isReadOnly, LogFile.hasLostItsLocks(in: self) {
      throw .directory(
        .unusable(
          path,
          reason: "\(path)/\(LogFile.lockName) is missing while another tollbook uses the folder,"
            + " which would not know of a reader: restart that one"))
    }
    var options = options
    let format = try LogError.marking { () throws(DataDirectoryError) in try writtenFormat() }
    options.isKeptWhole = format >= 2
    do throws(LMDBError) {
      return try Environment(directory: path, options: options)
    } catch {
      guard error.kind == .noReaderSlots, options.isReadOnly else { throw .storage(error) }
    }
    let owner = try LogError.marking { () throws(DataDirectoryError) in try keepingOwnersAway() }
    options.mayReadWithoutSlot = true
    return try LogError.absorbing(
      try Environment(directory: path, options: options, guardian: owner))
  }

  /// Opens it only to be read, beside its owner.
  ///
  /// - Parameter mapSize: the most address space that it takes; less where no more can be had.
  /// - Returns: nil if its owner has not written to it yet.
  package func openToRead(mapSize: Int) throws(LogError) -> Environment? {
    var options = EnvironmentOptions()
    options.isReadOnly = true
    options.mayMapLess = true
    options.mapSize = mapSize
    do throws(LogError) {
      let environment = try openEnvironment(options)
      return try LogError.absorbing(try environment.tableNames()).isEmpty ? nil : environment
    } catch {
      if case .storage(let cause) = error, case .inputOutput(errno: ENOENT) = cause.kind {
        return nil
      }
      throw error
    }
  }
}
