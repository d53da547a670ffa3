import Glibc

/// Names of files that are there after a crash or are not: what Foundation has no calls for.
package enum DurableNames {
  /// Gives a file or folder another name, in place of a file or an empty folder that has it; then brings the names of
  /// the folder around it to the disk.
  ///
  /// - Returns: nil, or what the system says is wrong.
  package static func rename(_ old: String, to new: String) -> String? {
    if unsafe Glibc.rename(old, new) != 0 { return message(errno) }
    return synchronize(parent(of: new))
  }

  /// Writes a file whole or not at all: beside it first, then brought to the disk, then renamed.
  ///
  /// - Parameter new: what it is called meanwhile, in the same folder; nil: as it will be, with `.new`. What has that
  ///   name is removed.
  /// - Returns: nil, or what the system says is wrong; nothing is then left beside it.
  package static func write(
    _ bytes: [UInt8], to path: String, as new: String? = nil, mode: UInt32
  ) -> String? {
    let new = new ?? "\(path).new"
    do throws(SystemError) {
      try SystemCalls.writeNewFile(bytes, to: new, mode: mode)
    } catch { return message(error.code) }
    guard let problem = synchronize(new) ?? rename(new, to: path) else { return nil }
    _ = unsafe unlink(new)
    return problem
  }

  /// Brings a file, or the names in a folder, to the disk.
  ///
  /// - Returns: nil, or what the system says is wrong.
  package static func synchronize(_ path: String) -> String? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return message(errno) }
    defer { close(descriptor) }
    return fsync(descriptor) == 0 ? nil : message(errno)
  }

  /// The folder that a path is in, such as `.`.
  package static func parent(of path: String) -> String {
    var trimmed = path[...]
    while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
    guard let slash = trimmed.lastIndex(of: "/") else { return "." }
    let parent = trimmed[..<slash]
    return parent.isEmpty ? "/" : String(parent)
  }

  private static func message(_ code: Int32) -> String { Descriptors.message(code) }
}
