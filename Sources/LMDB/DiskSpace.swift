import Glibc

/// `O_TMPFILE`, whose definition Swift cannot import. Source: Linux, `asm-generic/fcntl.h`.
private let temporary = 0o20000000 | O_DIRECTORY

extension Environment {
  /// The bytes an ordinary process may still write to the disk of the folder; knows no quota.
  package func availableDiskBytes() throws(LMDBError) -> Int {
    var status = statvfs()
    if unsafe statvfs(directory, &status) != 0 { throw LMDBError(code: errno, .inspectFolder) }
    return Int(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
  }

  /// What a failure while writing means.
  ///
  /// The write that fills the disk comes back short, which LMDB reports as `EIO`, as it does a
  /// broken disk. One wants room to be made and the other must stop everything, so they are told
  /// apart by asking the system for a little room.
  func writeError(
    _ code: Int32, _ operation: LMDBError.Operation, table: String?
  ) -> LMDBError {
    let error = LMDBError(code: code, operation, table: table)
    guard code == EIO else { return error }
    let refusal = LMDBError(code: reservingRoom(), operation, table: table)
    return refusal.kind == .noSpace ? refusal : error
  }

  /// The system's answer to a wish for 1 MiB, for a file without a name that is gone at once.
  private func reservingRoom() -> Int32 {
    let file = unsafe open(directory, temporary | O_WRONLY | O_CLOEXEC, 0o600)
    guard file >= 0 else { return errno }
    defer { close(file) }
    return posix_fallocate(file, 0, 1 << 20)
  }
}
