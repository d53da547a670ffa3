import CLMDB
import Files
import Glibc

extension Environment {
  /// The bytes an ordinary process may still write to the disk of the folder; knows no quota.
  package func availableDiskBytes() throws(LMDBError) -> Int { try claim.availableBytes() }

  /// What a failure while writing means.
  ///
  /// The write that fills the disk, or that meets the end of what a file may become, comes back
  /// short, which LMDB reports as `EIO`, as it does a broken disk. One wants room to be made and the
  /// other must stop everything, so they are told apart by asking for a little room where the file
  /// ends.
  func writeError(
    _ code: Int32, _ operation: LMDBError.Operation, table: String?
  ) -> LMDBError {
    let error = LMDBError(code: code, operation, table: table)
    guard code == EIO else { return error }
    let refusal = LMDBError(code: takingRoom(), operation, table: table)
    return refusal.kind == .noSpace ? refusal : error
  }

  /// The system's answer to a wish for 1 MiB more of the data file.
  private func takingRoom() -> Int32 {
    let wanted = 1 << 20
    var status = stat()
    guard let file = unsafe try? FileRoom.file(of: handle), unsafe fstat(file, &status) == 0 else {
      return EIO
    }
    let end = Int(status.st_size)
    let code = FileRoom.take(file, from: end, to: end + wanted)
    guard [EOPNOTSUPP, ENOSYS].contains(code), let left = try? claim.availableBytes() else {
      return code
    }
    return left < wanted ? ENOSPC : code
  }
}

/// Address space for the map.
enum MapSize {
  /// The size to try after one that could not be had; nil: there is none.
  static func next(below size: Int, for directory: String, _ options: EnvironmentOptions) -> Int? {
    var status = stat()
    let isThere = unsafe stat("\(directory)/data.mdb", &status) == 0
    let file = isThere ? Int(status.st_size) : 0
    // A reader wants what is there, and if it can be had some more for what is written meanwhile.
    let smaller = options.isReadOnly ? [max(2 * file, 1 << 30), file] : [size / 2]
    let rounded = smaller.map { ($0 + 0xffff) & ~0xffff }
    return rounded.first { $0 < size && $0 >= max(file, 16 << 20) }
      ?? rounded.last { $0 < size && $0 >= file && options.isReadOnly && $0 > 0 }
  }

  /// What a refusal to open the environment means.
  static func openError(
    _ code: Int32, _ directory: String, _ options: EnvironmentOptions
  ) -> LMDBError {
    switch code {
    case ENOMEM:
      var limit = rlimit()
      let isTold = unsafe getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0
      let bytes = isTold && limit.rlim_cur != .max ? Int(clamping: limit.rlim_cur) : nil
      return LMDBError(.addressSpace(map: options.mapSize, limit: bytes), .openEnvironment)
    case EACCES, EPERM, EROFS:
      let data: FileRight = options.isReadOnly ? .read : [.read, .write]
      let reasons = [
        FileRight.denial(of: "\(directory)/data.mdb", data),
        FileRight.denial(of: "\(directory)/lock.mdb", [.read, .write]),
        FileRight.denial(of: directory, [.read, .write, .enter]),
      ]
      guard let reason = reasons.compactMap({ $0 }).first else { break }
      return LMDBError(.denied(reason: reason), .openEnvironment)
    default: break
    }
    return LMDBError(code: code, .openEnvironment)
  }
}

/// The file of the reader slots, which every process maps.
enum LockFile {
  /// Whether an environment has it. LMDB reads without one where the file system is read-only, and tells so only in the
  /// list of readers.
  @unsafe static func isUsed(by handle: OpaquePointer) -> Bool {
    var isUsed = true
    _ = unsafe withUnsafeMutablePointer(to: &isUsed) { isUsed in
      unsafe mdb_reader_list(
        handle,
        { line, context in
          // SAFETY: the context is the pointer given below, valid until the list has been told.
          guard let line = unsafe line, let context = unsafe context else { return 0 }
          if unsafe String(cString: line).hasPrefix("(no reader locks)") {
            unsafe context.assumingMemoryBound(to: Bool.self).pointee = false
          }
          return 0
        }, isUsed)
    }
    return isUsed
  }

  /// Takes the room that the slots need before LMDB maps the file: on a full disk a touched slot would end the process.
  static func reserve(in directory: String, _ options: EnvironmentOptions) throws(LMDBError) {
    let creating = options.isReadOnly ? 0 : O_CREAT
    let file = unsafe open("\(directory)/lock.mdb", O_RDWR | O_CLOEXEC | creating, 0o600)
    // LMDB says what is wrong, or does without the file.
    guard file >= 0 else { return }
    defer { close(file) }
    // As long as LMDB would make it: a slot is a cache line, and as much as three stand before the second.
    let bytes = off_t(64 * (options.maximumReaders - 1) + 3 * 64)
    var status = stat()
    guard unsafe fstat(file, &status) == 0,
      status.st_size < bytes || off_t(status.st_blocks) * 512 < status.st_size
    else { return }
    let error = LMDBError(code: posix_fallocate(file, 0, bytes), .openEnvironment)
    if error.kind == .noSpace { throw error }
  }
}
