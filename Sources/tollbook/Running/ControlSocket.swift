import Foundation
import TollbookLog

/// Where the owner of a data directory listens, under a name that fits into a socket's address.
///
/// Such a name has at most 107 bytes. A longer one is told through the opened folder, which the system lists in `/proc`.
/// Keep the value for as long as the name is used.
struct ControlSocket: Sendable {
  private static let longest = 107

  /// What to bind to, or to connect to.
  let path: String
  private let folder: FileHandle?

  init(of directory: DataDirectory) throws {
    let socket = directory.controlSocket
    guard socket.utf8.count > Self.longest else {
      path = socket
      folder = nil
      return
    }
    guard let opened = FileHandle(forReadingAtPath: directory.path) else {
      throw Refused("\(directory.path) cannot be opened.")
    }
    folder = opened
    path = "/proc/self/fd/\(opened.fileDescriptor)/\((socket as NSString).lastPathComponent)"
  }
}
