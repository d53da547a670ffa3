import Dispatch
import Foundation
import JSONText
import Synchronization

/// One server-sent event.
struct StreamedEvent: Hashable, Sendable {
  var id: String?
  var event: String?
  var data: String?

  /// The number at the end of the id: before it stands which history it is of.
  var position: Int? { id.flatMap { $0.split(separator: "-").last }.flatMap { Int($0) } }
  var json: JSONValue? { data.flatMap { try? JSONDocument(Array($0.utf8)).root } }
}

/// A client of a stream of events on a socket of its own: it reads when it is told to, and only then.
final class EventStreamClient: Sendable {
  struct Failed: Error { let what: String }

  private struct State {
    /// Bytes behind the header, still in chunks.
    var raw: [UInt8] = []
    var text = ""
    var isEnded = false
  }

  private let socket: Int32
  private let state = Mutex(State())
  let status: Int

  /// Connects and reads the header of the answer.
  init(port: Int, path: String, headers: [String: String] = [:]) async throws {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    // So that a client that does not read is soon felt.
    var size: Int32 = 4_096
    setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else { throw Failed(what: "connect: \(errno)") }
    self.socket = socket
    let more = headers.map { "\($0.key): \($0.value)\r\n" }.joined()
    let request = "GET \(path) HTTP/1.1\r\nHost: localhost:\(port)\r\n\(more)\r\n"
    guard send(socket, request, request.utf8.count, 0) == request.utf8.count else {
      throw Failed(what: "send: \(errno)")
    }
    var header: [UInt8] = []
    let end = Array("\r\n\r\n".utf8)
    while !header.contains(end) {
      guard let bytes = await Self.receive(socket) else { throw Failed(what: "no header") }
      header += bytes
    }
    let (head, rest) = header.split(at: end)
    let words = String(decoding: head, as: UTF8.self).split(separator: " ")
    status = words.count > 1 ? Int(words[1]) ?? 0 : 0
    state.withLock { $0.raw = rest }
  }

  deinit { close(socket) }

  /// Ends the connection, also for somebody who reads.
  func hangUp() { shutdown(socket, Int32(SHUT_RDWR)) }

  /// The next block: an event, a heartbeat or the opening; nil when the answer has ended.
  func nextBlock() async throws -> StreamedEvent? {
    while true {
      let block: StreamedEvent? = state.withLock { state in
        Self.dechunk(&state)
        guard let end = state.text.firstRange(of: "\n\n") else { return nil }
        defer { state.text.removeSubrange(..<end.upperBound) }
        return Self.event(state.text[..<end.lowerBound])
      }
      if let block { return block }
      if state.withLock({ $0.isEnded }) { return nil }
      guard let bytes = await Self.receive(socket) else {
        throw Failed(what: "the connection ended inside of the answer")
      }
      state.withLock { $0.raw += bytes }
    }
  }

  /// The next events, heartbeats left out.
  func next(_ count: Int) async throws -> [StreamedEvent] {
    var events: [StreamedEvent] = []
    while events.count < count, let block = try await nextBlock() {
      if block.data != nil { events.append(block) }
    }
    return events
  }

  private static func event(_ block: Substring) -> StreamedEvent {
    var event = StreamedEvent()
    for line in block.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      let value = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
      switch parts[0] {
      case "id": event.id = value
      case "event": event.event = value
      case "data": event.data = value
      default: break
      }
    }
    return event
  }

  /// Takes whole chunks out of what was received.
  private static func dechunk(_ state: inout State) {
    while !state.isEnded {
      let (line, rest) = state.raw.split(at: Array("\r\n".utf8))
      guard line.count < state.raw.count,
        let length = Int(String(decoding: line, as: UTF8.self), radix: 16),
        rest.count >= length + 2
      else { return }
      state.isEnded = length == 0
      state.text += String(decoding: rest[..<length], as: UTF8.self)
      state.raw = Array(rest[(length + 2)...])
    }
  }

  private static func receive(_ socket: Int32) async -> [UInt8]? {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket, &buffer, buffer.count, 0)
        continuation.resume(returning: count > 0 ? Array(buffer[..<count]) : nil)
      }
    }
  }
}

extension [UInt8] {
  fileprivate func contains(_ needle: [UInt8]) -> Bool { split(at: needle).before.count < count }

  /// What stands before and behind some bytes; everything before if they are not there.
  fileprivate func split(at needle: [UInt8]) -> (before: [UInt8], behind: [UInt8]) {
    guard count >= needle.count else { return (self, []) }
    for start in 0...(count - needle.count)
    where Array(self[start..<(start + needle.count)]) == needle {
      return (Array(self[..<start]), Array(self[(start + needle.count)...]))
    }
    return (self, [])
  }
}
