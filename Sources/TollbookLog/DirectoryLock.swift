import Foundation

/// A lock on a file, held as long as the value lasts.
///
/// It is let go of in words, not by closing the file alone: `flock` belongs to the open file, and a child process has that
/// open too, from its fork until its exec closes it. See flock(2).
final class DirectoryLock: Sendable {
  private let descriptor: Int32

  /// Opens the file; nil if that is not possible. A child that runs another program does not inherit it.
  init?(_ path: String, _ way: Int32) {
    descriptor = unsafe open(path, way | O_CLOEXEC, 0o600)
    if descriptor < 0 { return nil }
  }

  deinit {
    _ = flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  /// Takes the lock alone; false where another has it.
  func takeAlone() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

  /// Takes the lock together with others who take it so; false where one has it alone.
  func takeTogether() -> Bool { flock(descriptor, LOCK_SH | LOCK_NB) == 0 }
}
