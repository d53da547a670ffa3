import Glibc
import Synchronization

/// The promise that this process has an environment open once only.
///
/// LMDB locks with `fcntl`, whose locks belong to the process and end when *any* descriptor of the
/// file is closed: with two environments on one folder, closing one would unlock the other. Folders
/// are told apart by device and inode, so that links and other spellings count as the same.
struct FolderClaim: Sendable {
  private struct Identity: Hashable {
    let device: dev_t
    let inode: ino_t
  }

  private static let claimed = Mutex<Set<Identity>>([])
  private let identity: Identity

  /// Claims a folder; throws `alreadyOpen` if it is claimed, `inputOutput` if it is not there.
  init(on directory: String) throws(LMDBError) {
    var status = stat()
    if unsafe stat(directory, &status) != 0 {
      throw LMDBError(code: errno, .inspectFolder)
    }
    let identity = Identity(device: status.st_dev, inode: status.st_ino)
    let isNew = Self.claimed.withLock { $0.insert(identity).inserted }
    guard isNew else { throw LMDBError(.alreadyOpen(path: directory), .openEnvironment) }
    self.identity = identity
  }

  /// Gives the folder free, after the environment was closed.
  func release() {
    _ = Self.claimed.withLock { $0.remove(identity) }
  }
}
