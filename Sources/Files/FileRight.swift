import Glibc

/// Which right to a file this process lacks: what an `errno` does not tell.
package struct FileRight: OptionSet, Sendable {
  package let rawValue: Int32

  package init(rawValue: Int32) { self.rawValue = rawValue }

  package static let read = FileRight(rawValue: R_OK)
  package static let write = FileRight(rawValue: W_OK)
  /// To open the files in a folder.
  package static let enter = FileRight(rawValue: X_OK)

  /// Why a file or folder cannot be used so, as a sentence without its end; nil if it can, or is not there.
  package static func denial(of path: String, _ wanted: FileRight) -> String? {
    let lacking = [FileRight.enter, .read, .write].filter { right in
      guard wanted.contains(right),
        unsafe faccessat(AT_FDCWD, path, right.rawValue, AT_EACCESS) != 0
      else { return false }
      return [EACCES, EPERM, EROFS].contains(errno)
    }
    guard !lacking.isEmpty else { return nil }
    let verbs = lacking.map { right in
      switch right {
      case .enter: "entered"
      case .read: "read"
      default: "written"
      }
    }
    let user = geteuid()
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      // Something above it is closed.
      let parent = DurableNames.parent(of: path)
      let above = parent == path ? nil : denial(of: parent, .enter)
      return above ?? "\(path) may not be \(verbs.joined(separator: " or ")) by user \(user)"
    }
    let mode = String(status.st_mode & 0o7777, radix: 8)
    return "\(path) may not be \(verbs.joined(separator: " or ")) by user \(user): it belongs to"
      + " user \(status.st_uid) and has mode \(mode)"
  }
}
