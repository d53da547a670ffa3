import Dispatch
import Glibc
import Synchronization

/// A connection on which a test sends bytes as they stand, and reads what comes back.
final class RawConnection: Sendable {
  struct Failed: Error { let what: String }

  private let socket: Int32
  private let received = Mutex<[UInt8]>([])

  init(port: Int) throws {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else { throw Failed(what: "connect: \(errno)") }
    self.socket = socket
  }

  deinit { close(socket) }

  func send(_ text: String) throws {
    guard Glibc.send(socket, text, text.utf8.count, Int32(MSG_NOSIGNAL)) == text.utf8.count else {
      throw Failed(what: "send: \(errno)")
    }
  }

  /// What has come once a text is in it.
  func until(_ text: String) async throws -> String {
    while true {
      let all = received.withLock { String(decoding: $0, as: UTF8.self) }
      if all.contains(text) { return all }
      guard await receive() else { throw Failed(what: "it ended before “\(text)”: \(all)") }
    }
  }

  /// Everything until the other side says that no more comes.
  func all() async -> String {
    while await receive() {}
    return received.withLock { String(decoding: $0, as: UTF8.self) }
  }

  private func receive() async -> Bool {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async { [self] in
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket, &buffer, buffer.count, 0)
        if count > 0 { received.withLock { $0 += buffer[..<count] } }
        continuation.resume(returning: count > 0)
      }
    }
  }
}
