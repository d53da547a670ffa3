import Files
import Glibc
import Synchronization

/// The promise that this process has an environment open once only.
///
/// LMDB locks with `fcntl`, whose locks belong to the process and end when *any* descriptor of the
/// file is closed: with two environments on one folder, closing one would unlock the other. Folders
/// are told apart by device and inode, so that links and other spellings count as the same. The
/// folder is kept open meanwhile: if it is removed, its inode is not given to another one.
struct FolderClaim: Sendable {
  private struct Identity: Hashable {
    let device: dev_t
    let inode: ino_t
  }

  private static let claimed = Mutex<Set<Identity>>([])
  private let identity: Identity
  private let folder: Int32

  /// The bytes an ordinary process may still write to the disk of the folder, which may have lost its name since.
  func availableBytes() throws(LMDBError) -> Int {
    var status = statvfs()
    if unsafe fstatvfs(folder, &status) != 0 { throw LMDBError(code: errno, .inspectFolder) }
    return Int(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
  }

  /// Claims a folder; throws `alreadyOpen` if it is claimed, `inputOutput` if it is not there.
  init(on directory: String) throws(LMDBError) {
    folder = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else {
      let code = errno
      if let reason = FileRight.denial(of: directory, [.read, .enter]) {
        throw LMDBError(.denied(reason: reason), .inspectFolder)
      }
      throw LMDBError(code: code, .inspectFolder)
    }
    var status = stat()
    guard unsafe fstat(folder, &status) == 0 else {
      let code = errno
      close(folder)
      throw LMDBError(code: code, .inspectFolder)
    }
    identity = Identity(device: status.st_dev, inode: status.st_ino)
    let identity = identity
    let isNew = Self.claimed.withLock { $0.insert(identity).inserted }
    guard isNew else {
      close(folder)
      throw LMDBError(.alreadyOpen(path: directory), .openEnvironment)
    }
  }

  /// Gives the folder free, after the environment was closed.
  func release() {
    _ = Self.claimed.withLock { $0.remove(identity) }
    close(folder)
  }
}
