import Glibc

/// Open files by their numbers: what Foundation has no calls for.
package enum Descriptors {
  /// Writes all bytes, also where only a part is taken at a time and where that has to be waited for.
  ///
  /// - Returns: the number of the error; 0 if there is none.
  package static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    var start = 0
    while start < bytes.count {
      // SAFETY: the rest lies within the array, which stays where it is during the call.
      let count = unsafe bytes.withUnsafeBytes { bytes in
        unsafe Glibc.write(descriptor, bytes.baseAddress?.advanced(by: start), bytes.count - start)
      }
      if count >= 0 {
        start += count
      } else if errno == EAGAIN {
        var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&ready, 1, -1)
      } else if errno != EINTR {
        return errno
      }
    }
    return 0
  }

  /// How wide a terminal is; nil if it is none, or does not know.
  package static func columns(of descriptor: Int32) -> Int? {
    var size = winsize()
    guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
      return nil
    }
    return Int(size.ws_col)
  }

  /// What the system says of the number of an error, such as `No space left on device`.
  package static func message(_ code: Int32) -> String {
    // SAFETY: glibc answers with a constant text, or a thread-local one for unknown numbers; it is copied at once.
    guard let text = unsafe strerror(code) else { return "errno \(code)" }
    return unsafe String(cString: text)
  }
}
