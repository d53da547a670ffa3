import CProcess
import Glibc

/// Calls of the system that Foundation has not, or not with the number of the error.
package enum SystemCalls {
  /// Has the kernel write no core of this process, and keeps other processes of the same user from reading its memory: it
  /// may hold secrets. Does nothing where the kernel does not know that.
  package static func forbidDumps() { _ = tollbook_forbid_dumps() }

  /// How long a file is. Throws the number of the error.
  package static func size(ofFile path: String) throws(SystemError) -> Int64 {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { throw SystemError(code: errno) }
    return Int64(status.st_size)
  }

  /// Makes a folder that only its owner may use.
  package static func makeFolder(_ path: String) throws(SystemError) {
    guard unsafe mkdir(path, 0o700) == 0 else { throw SystemError(code: errno) }
  }

  /// Writes a file anew, with those permissions from its first moment on. What has its name is removed before,
  /// and nothing is left of it if it does not fit.
  package static func writeNewFile(
    _ bytes: [UInt8], to path: String, mode: UInt32
  ) throws(SystemError) {
    _ = unsafe unlink(path)
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw SystemError(code: errno) }
    defer { close(descriptor) }
    let code = Descriptors.write(bytes, to: descriptor)
    guard code == 0 else {
      _ = unsafe unlink(path)
      throw SystemError(code: code)
    }
  }

  /// The four or sixteen bytes of an address such as `127.0.0.1` or `::1`; nil: the text is none.
  package static func bytes(ofAddress text: String) -> [UInt8]? {
    for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
      var bytes = [UInt8](repeating: 0, count: count)
      if unsafe inet_pton(family, text, &bytes) == 1 { return bytes }
    }
    return nil
  }

  /// How many files the process may have open at once (`ulimit -n`); nil if the system does not say.
  package static var openFileLimit: Int? {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      return nil
    }
    return Int(min(limit.rlim_cur, 1 << 20))
  }

  /// Sets a variable of the environment. Only before there is a second thread.
  package static func setEnvironment(_ name: String, _ value: String) {
    _ = unsafe setenv(name, value, 1)
  }
}

/// The number that the system gives an error.
package struct SystemError: Error, Hashable, Sendable {
  package let code: Int32
}
