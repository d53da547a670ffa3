import Foundation
import Synchronization

/// An HTTP server of the simplest kind on 127.0.0.1: reads a request's head and does what the
/// script says. Each connection has a thread of its own.
final class LoopbackServer: Sendable {
  enum Step: Sendable {
    case send([UInt8])
    case wait(milliseconds: UInt32)
    /// Ends the connection; otherwise the next request is read from it.
    case close
  }

  let port: UInt16
  private let listener: Int32
  private let heads = Mutex<[String]>([])
  private let script: @Sendable (Int) -> [Step]

  private let greeting: [UInt8]

  /// - Parameters:
  ///   - greeting: what to send before anything is read.
  ///   - script: what to do for a request, given how many came before it.
  init(greeting: [UInt8] = [], script: @escaping @Sendable (Int) -> [Step]) {
    self.greeting = greeting
    self.script = script
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = self.listener
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        let result = bind(listener, pointer, length)
        getsockname(listener, pointer, &length)
        return result
      }
    }
    precondition(bound == 0 && listen(listener, 16) == 0)
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { [self] in accepting() }
  }

  /// The heads of all requests so far.
  var requests: [String] { heads.withLock { $0 } }

  var base: String { "http://127.0.0.1:\(port)" }

  /// Ends it. Only the accepting thread closes the socket: closed here, its number could be another server's by the
  /// time that thread accepts again.
  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

  private func accepting() {
    defer { close(listener) }
    while true {
      let connection = accept(listener, nil, nil)
      guard connection >= 0 else { return }
      Thread.detachNewThread { [self] in serve(connection) }
    }
  }

  private func serve(_ connection: Int32) {
    defer { close(connection) }
    guard write(greeting, to: connection) else { return }
    while let head = readHead(connection) {
      let number = heads.withLock { heads in
        heads.append(head)
        return heads.count - 1
      }
      for step in script(number) {
        switch step {
        case .send(let bytes):
          guard write(bytes, to: connection) else { return }
        case .wait(let milliseconds): usleep(milliseconds * 1_000)
        case .close: return
        }
      }
    }
  }

  private func write(_ bytes: [UInt8], to connection: Int32) -> Bool {
    bytes.isEmpty
      || send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
  }

  private func readHead(_ connection: Int32) -> String? {
    var head: [UInt8] = []
    var byte: UInt8 = 0
    while recv(connection, &byte, 1, 0) == 1 {
      head.append(byte)
      if head.suffix(4) == [13, 10, 13, 10] { return String(decoding: head, as: UTF8.self) }
    }
    return nil
  }
}

extension LoopbackServer.Step {
  /// A whole answer.
  static func answer(
    _ body: String, status: Int = 200, headers: [String] = [], gzipped: Bool = false
  ) -> LoopbackServer.Step {
    let bytes = gzipped ? gzip(Array(body.utf8)) : Array(body.utf8)
    return .send(
      Self.head(status, bytes.count, headers + (gzipped ? ["Content-Encoding: gzip"] : [])) + bytes)
  }

  /// The head of an answer that promises a body.
  static func head(_ status: Int, _ length: Int, _ headers: [String] = []) -> [UInt8] {
    let lines = ["HTTP/1.1 \(status) Any", "Content-Length: \(length)"] + headers
    return Array((lines + ["", ""]).joined(separator: "\r\n").utf8)
  }

  /// gzip with one stored block, by RFC 1951 and 1952.
  static func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    let length = UInt16(bytes.count)
    func little(_ value: UInt32, _ count: Int) -> [UInt8] {
      (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
    }
    return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 1] + little(UInt32(length), 2)
      + little(UInt32(~length), 2) + bytes + little(~crc, 4) + little(UInt32(length), 4)
  }
}
