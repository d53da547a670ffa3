import CLMDB
import Glibc
import Synchronization

/// Room for the data file to grow, asked for where it grows: what the disk has free says nothing of
/// a quota, nor of the limit that the process has for the length of its files.
enum FileRoom {
  /// How long a file of this process may become (`ulimit -f`); nil: as long as it likes.
  static var lengthLimit: Int? {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0,
      limit.rlim_cur < UInt(Int.max)
    else { return nil }
    return Int(limit.rlim_cur)
  }

  /// Gives a file the blocks of a range, also behind its end, without making it longer or touching
  /// what is in it.
  ///
  /// - Returns: `ENOSPC`, `EDQUOT` or `EFBIG` if there is no room; 0 if it is there now.
  static func take(_ file: Int32, from start: Int, to end: Int) -> Int32 {
    if let limit = lengthLimit, end > limit { return EFBIG }
    let keepingSize: Int32 = 1  // `FALLOC_FL_KEEP_SIZE`. Source: Linux, `linux/falloc.h`.
    while true {
      if fallocate(file, keepingSize, off_t(start), off_t(end - start)) == 0 { return 0 }
      let code = errno
      if code != EINTR { return code }
    }
  }

  /// Gives back the blocks behind a file's end. Only while nobody writes to it.
  static func giveBack(_ file: Int32) {
    var status = stat()
    guard unsafe fstat(file, &status) == 0 else { return }
    _ = ftruncate(file, status.st_size)
  }

  /// The data file of an environment.
  @unsafe static func file(of handle: OpaquePointer) throws(LMDBError) -> Int32 {
    var file: Int32 = 0
    unsafe try LMDBError.check(mdb_env_get_fd(handle, &file), .environmentStatistics)
    return file
  }
}

extension Environment {
  /// The limit that the process has for the length of its files, where it is less than the map.
  package var fileLimit: Int? { FileRoom.lengthLimit.flatMap { $0 < options.mapSize ? $0 : nil } }

  /// Bytes behind the last page used that are the data file's own, so that nobody else can take
  /// them.
  package func reservedBytes(behind used: Int) -> Int {
    max(0, reservedEnd.load(ordering: .relaxed) - used)
  }

  /// Makes bytes behind the last page used the data file's own. Once they are it costs nothing.
  ///
  /// - Returns: false if the disk, a quota or the file size limit does not allow it. True too where
  ///   the file system cannot promise room.
  package func reserve(_ bytes: Int, behind used: Int) throws(LMDBError) -> Bool {
    guard reservedBytes(behind: used) < bytes else { return true }
    let portion = 4 << 20
    let longest = min(options.mapSize, fileLimit ?? .max)
    let end = max(used + bytes, min((used + bytes + portion - 1) / portion * portion, longest))
    let code = FileRoom.take(unsafe try FileRoom.file(of: handle), from: used, to: end)
    if [EOPNOTSUPP, ENOSYS].contains(code) { return true }
    guard code == 0 else {
      let error = LMDBError(code: code, .inspectFolder)
      if error.isOutOfSpace { return false }
      throw error
    }
    reservedEnd.store(end, ordering: .relaxed)
    return true
  }

  /// Gives back what ``reserve(_:behind:)`` took: to be called when no more is written.
  @available(*, noasync)
  package func giveBackReserve() {
    guard reservedEnd.exchange(0, ordering: .relaxed) > 0 else { return }
    // Nobody else changes the length while this one has the write transaction.
    try? withWriteTransaction { (_) throws(LMDBError) in
      FileRoom.giveBack(unsafe try FileRoom.file(of: handle))
    }
  }
}
