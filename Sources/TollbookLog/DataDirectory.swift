import Files
import Foundation

/// Whether a log was made with the real upstreams or with simulated ones. One directory is never both.
package enum LogMode: String, Sendable {
  case real
  case simulated
}

/// Why a folder is not used as a data directory. It is left as it was.
package enum DataDirectoryError: Error, Hashable, Sendable, CustomStringConvertible {
  case inUse(String)
  case notOurs(String)
  case missing(String)
  case newerFormat(String, format: Int)
  case otherMode(String, LogMode)
  case networkFilesystem(String, type: String)
  case unusable(String, reason: String)
  /// It lies on a read-only file system, and is written meanwhile through another path.
  case writtenElsewhere(String)
  /// It lies on a read-only file system, and nobody can tell whether it is written meanwhile.
  case perhapsWrittenElsewhere(String, reason: String)

  package var description: String {
    switch self {
    case .inUse(let path):
      "\(path) is in use by another tollbook. One process owns a data directory; stop that one, or"
        + " name another folder with --data-dir."
    case .notOurs(let path):
      "\(path) holds files that are not tollbook's. Name an empty folder, or one that does not"
        + " exist yet, with --data-dir."
    case .missing(let path): "\(path) is not a data directory of tollbook."
    case .newerFormat(let path, let format):
      "\(path) was written in format \(format); this version reads up to"
        + " \(DataDirectory.format). Use the newer version."
    case .otherMode(let path, .simulated):
      "\(path) holds simulated data. Add --simulate, or name another folder with --data-dir."
    case .otherMode(let path, .real):
      "\(path) holds real data, and --simulate was given. Leave it out, or name another folder with"
        + " --data-dir."
    case .networkFilesystem(let path, let type):
      "\(path) is on a network filesystem (\(type)), where LMDB cannot lock. Use a local disk."
    case .unusable(let path, let reason): "\(path) cannot be used: \(reason)"
    case .writtenElsewhere(let path):
      "\(path) is on a read-only file system and in use by a tollbook that could not know of this"
        + " reader and would write over what it reads. Read it where that one runs, or stop that"
        + " one."
    case .perhapsWrittenElsewhere(let path, let reason):
      "\(path) is on a read-only file system, and \(reason), so nobody can tell whether it is"
        + " written meanwhile. Copy it to a folder that can be written, and read it there."
    }
  }
}

/// A folder that holds one log: the LMDB environment, a format marker and a lock.
package struct DataDirectory: Sendable {
  /// The newest format that this version reads and the one that it writes. Who adds a kind of event or changes the rows
  /// of a view raises it, so that an older version does not open what it cannot read.
  ///
  /// | format | since then |
  /// |---|---|
  /// | 1 | one meter for each credential |
  /// | 2 | any number of meters, in any units |
  /// | 3 | jobs that outlive the process |
  /// | 4 | bodies in pieces |
  /// | 5 | accounts, access keys, budgets, alerts; hours and minutes of the clock, not of the commit times |
  /// | 6 | several credentials for an upstream, corrections, bills, idempotent requests |
  package static let format = 6
  private static let markerName = "tollbook.format"
  /// Ends the marker of a directory in which no log was begun yet.
  private static let newWord = "new"
  private static let newMarkerName = "tollbook.format.new"
  private static let lockName = "tollbook.lock"
  private static let certificatesName = "tls"

  package let path: String
  package let mode: LogMode
  /// Holds the lock while the directory is owned; nil when it is only read.
  private let lock: DirectoryLock?
  /// Whether the folder was made with it.
  private var isFolderMade = false

  /// Takes ownership, making the folder if it does not exist. The lock lasts as long as the value.
  package static func own(_ path: String, mode: LogMode) throws(DataDirectoryError) -> DataDirectory
  {
    let files = FileManager.default
    var isFolder: ObjCBool = false
    let existing = unsafe files.fileExists(atPath: path, isDirectory: &isFolder)
    if existing {
      guard isFolder.boolValue else { throw .unusable(path, reason: "it is not a folder") }
      try refuseOthers(in: path, mode: mode)
    }
    try refuseNetwork(existing ? path : URL(fileURLWithPath: path).deletingLastPathComponent().path)
    do {
      try files.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch { throw .unusable(path, reason: reason(error)) }
    let lock = try takeLock(in: path)
    // Looked at again: until now another process may have made it its own.
    try refuseOthers(in: path, mode: mode)
    if try readMarker(in: path) == nil {
      try writeMarker(in: path, mode: mode, format: format, isNew: true)
    }
    return DataDirectory(path: path, mode: mode, lock: lock, isFolderMade: !existing)
  }

  /// Refuses a folder of the other mode, and one that is neither ours nor empty.
  package static func refuseOthers(in path: String, mode: LogMode) throws(DataDirectoryError) {
    if let marked = try readMarker(in: path) {
      guard marked == mode else { throw .otherMode(path, marked) }
      return
    }
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: path) } catch {
      throw .unusable(path, reason: reason(error))
    }
    // A process that was cut short while it made the folder its own leaves the first two; the certificate may be made
    // before the log.
    let ours = [lockName, newMarkerName, certificatesName]
    guard names.allSatisfy(ours.contains) else { throw .notOurs(path) }
  }

  /// Opens it beside its owner, only to read.
  package static func read(_ path: String) throws(DataDirectoryError) -> DataDirectory {
    guard let mode = try readMarker(in: path) else { throw .missing(path) }
    return DataDirectory(path: path, mode: mode, lock: nil)
  }

  /// The mode of an existing directory, nil if the folder holds none.
  package static func mode(of path: String) throws(DataDirectoryError) -> LogMode? {
    try readMarker(in: path)
  }

  /// Whether a process owns it now.
  package static func isOwned(_ path: String) -> Bool {
    guard let lock = openLock(in: path, O_RDONLY) else { return false }
    // Together with readers that keep owners away.
    return !lock.takeTogether()
  }

  /// Lets nobody own it as long as the value lasts: for who reads it and cannot write at all. Several can.
  package func keepingOwnersAway() throws(DataDirectoryError) -> any Sendable {
    guard let lock = Self.openLock(in: path, O_RDONLY) else {
      throw .perhapsWrittenElsewhere(path, reason: "it has no \(Self.lockName) that could be read")
    }
    do throws(DataDirectoryError) {
      try Self.refuseNetwork(path, andShared: true)
    } catch {
      guard case .networkFilesystem(_, let type) = error else { throw error }
      throw .perhapsWrittenElsewhere(path, reason: "another machine may have it (\(type))")
    }
    guard lock.takeTogether() else { throw .writtenElsewhere(path) }
    return lock
  }

  /// The snapshot on which the log of a directory rests, as its marker says.
  package struct Base: Hashable, Sendable {
    /// The last position that is known by the snapshot alone.
    package let position: UInt64
    /// The name of its file in `snapshots`.
    package let snapshot: String

    package init(position: UInt64, snapshot: String) {
      self.position = position
      self.snapshot = snapshot
    }
  }

  /// The folder of a data directory in which its snapshots are.
  package static func snapshots(of path: String) -> String { "\(path)/snapshots" }

  /// The folder of a data directory in which the certificate of its service is.
  package static func certificates(of path: String) -> String { "\(path)/\(certificatesName)" }

  /// What the log of an existing directory rests on; nil: all its events are there.
  package static func base(of path: String) throws(DataDirectoryError) -> Base? {
    let words = try markerWords(in: path) ?? []
    guard words.count >= 7, words[4] == "base" else { return nil }
    guard let position = UInt64(words[5]) else { throw .notOurs(path) }
    return Base(position: position, snapshot: words[6])
  }

  /// Names in the marker on which snapshot the log rests. The file's name must be without blanks.
  package func rest(on base: Base) throws(DataDirectoryError) {
    precondition(!base.snapshot.contains(where: \.isWhitespace), "a blank ends a word")
    try Self.writeMarker(in: path, mode: mode, base: base, format: try writtenFormat())
  }

  /// The format of what is in it: an older one until a log of this version was opened in it.
  package func writtenFormat() throws(DataDirectoryError) -> Int {
    guard let words = try Self.markerWords(in: path) else { throw .missing(path) }
    guard let format = Int(words[2]) else { throw .notOurs(path) }
    return format
  }

  /// Marks it durably as one of this version's format, so that older versions refuse it from now on: to be done before
  /// anything is written that they could not read. What it rests on stays noted.
  package func raiseFormat() throws(DataDirectoryError) {
    guard try writtenFormat() < Self.format else { return }
    try Self.writeMarker(
      in: path, mode: mode, base: try Self.base(of: path), format: Self.format,
      isNew: try isNew)
  }

  /// Whether no log was begun in it yet.
  var isNew: Bool {
    get throws(DataDirectoryError) {
      guard let words = try Self.markerWords(in: path) else { throw .missing(path) }
      return words.count == 5 && words[4] == Self.newWord
    }
  }

  /// Notes durably that there is a log in it: from now on no other one is begun there.
  func noteBegun() throws(DataDirectoryError) {
    guard try isNew else { return }
    try Self.writeMarker(in: path, mode: mode, format: try writtenFormat())
  }

  /// Removes what was made to begin a log that could not be begun.
  func removeIfNew() {
    guard lock != nil, (try? isNew) == true, (try? LogFile.loss(in: self)) == .some(nil) else {
      return
    }
    let names = [
      LogFile.name, LogFile.lockName, Self.newMarkerName, Self.markerName, Self.lockName,
    ]
    for name in names { _ = unsafe unlink("\(path)/\(name)") }
    if isFolderMade { _ = unsafe rmdir(path) }
  }

  /// Where the owner listens for commands that write.
  package var controlSocket: String { "\(path)/control.sock" }

  private static func readMarker(in path: String) throws(DataDirectoryError) -> LogMode? {
    guard let words = try markerWords(in: path) else { return nil }
    guard let mode = LogMode(rawValue: words[3]) else { throw .notOurs(path) }
    return mode
  }

  /// The words of the marker, such as `tollbook format 1 real`, and for a log that rests on a snapshot `base`, its
  /// position and its name; nil if there is none.
  private static func markerWords(in path: String) throws(DataDirectoryError) -> [String]? {
    let file = "\(path)/\(markerName)"
    guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
      // What may not be read is not missing.
      let denial = FileRight.denial(of: path, .enter) ?? FileRight.denial(of: file, .read)
      if let denial { throw .unusable(path, reason: denial) }
      return nil
    }
    let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
    guard words.count >= 4, words[0] == "tollbook", words[1] == "format", let format = Int(words[2])
    else { throw .notOurs(path) }
    guard format <= Self.format else { throw .newerFormat(path, format: format) }
    return words
  }

  /// Writes the marker whole or not at all, and durably: without it the log beside it would not be taken for ours.
  private static func writeMarker(
    in path: String, mode: LogMode, base: Base? = nil, format: Int, isNew: Bool = false
  ) throws(DataDirectoryError) {
    let rest = base.map { " base \($0.position) \($0.snapshot)" } ?? (isNew ? " \(newWord)" : "")
    let text = "tollbook format \(format) \(mode.rawValue)\(rest)\n"
    let file = "\(path)/\(markerName)"
    let new = "\(path)/\(newMarkerName)"
    guard DurableNames.write(Array(text.utf8), to: file, as: new, mode: 0o600) == nil else {
      let denial =
        FileRight.denial(of: path, [.enter, .write]) ?? FileRight.denial(of: file, .write)
      throw .unusable(path, reason: denial ?? "its format marker cannot be written")
    }
  }

  private static func takeLock(in path: String) throws(DataDirectoryError) -> DirectoryLock {
    guard let lock = openLock(in: path, O_RDWR | O_CREAT) else {
      let denial =
        FileRight.denial(of: path, [.enter, .write])
        ?? FileRight.denial(of: "\(path)/\(lockName)", [.read, .write])
      throw .unusable(path, reason: denial ?? "its lock file cannot be opened")
    }
    guard lock.takeAlone() else { throw .inUse(path) }
    return lock
  }

  private static func openLock(in path: String, _ way: Int32) -> DirectoryLock? {
    DirectoryLock("\(path)/\(lockName)", way)
  }

  /// LMDB's locks and its map need a local filesystem.
  ///
  /// - Parameter andShared: also one that a host shares with its guests, whose locks do not reach the other side.
  private static func refuseNetwork(
    _ path: String, andShared: Bool = false
  ) throws(DataDirectoryError) {
    var remote: Set<Substring> = [
      "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "fuse.sshfs",
      "lustre",
    ]
    if andShared { remote.formUnion(["virtiofs", "vboxsf", "prl_fs", "fuse.vmhgfs-fuse"]) }
    let resolved = URL(fileURLWithPath: path.isEmpty ? "." : path).resolvingSymlinksInPath().path
    guard let mounts = try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8) else {
      return
    }
    var best: (length: Int, type: Substring) = (-1, "")
    for line in mounts.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 2 else { continue }
      let point = fields[1]
      let isAbove = point == "/" || resolved == point || resolved.hasPrefix(point + "/")
      if isAbove && point.count >= best.length { best = (point.count, fields[2]) }
    }
    if remote.contains(best.type) { throw .networkFilesystem(path, type: String(best.type)) }
  }

  private static func reason(_ error: any Error) -> String {
    let cocoa = error as NSError
    let underlying = cocoa.userInfo[NSUnderlyingErrorKey] as? NSError
    return (underlying ?? cocoa).localizedDescription
  }
}
