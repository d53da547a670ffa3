import HTTPTypes
import Hummingbird
import NIOCore
import Testing
import TollbookHTTP

@testable import Extraction

@Suite("room for uploads") struct UploadRoomTests {
  @Test func `no more bytes are taken at once than there is room for, and all get in`() async {
    let room = UploadRoom(limit: 10)
    #expect(await room.enter(6))
    let others = (0..<20).map { _ in
      Task {
        let isIn = await room.enter(5)
        room.leave(5)
        return isIn
      }
    }
    while room.waitingCount < 20 { await Task.yield() }
    room.leave(6)
    for other in others { #expect(await other.value) }
    #expect(room.waitingCount == 0)
  }

  @Test func `one that is longer than the room is let in alone`() async {
    let room = UploadRoom(limit: 10)
    #expect(await room.enter(100))
    let other = Task { await room.enter(1) }
    while room.waitingCount < 1 { await Task.yield() }
    room.leave(100)
    #expect(await other.value)
  }

  @Test func `beyond so many that wait, one more is refused`() async {
    let room = UploadRoom(limit: 1, mostWaiting: 2)
    #expect(await room.enter(1))
    let waiting = (0..<2).map { _ in Task { await room.enter(1) } }
    while room.waitingCount < 2 { await Task.yield() }
    #expect(await room.enter(1) == false)
    for task in waiting {
      room.leave(1)
      #expect(await task.value)
    }
  }

  private static func request(_ announced: String?, key: String? = nil) -> Request {
    var head = HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/")
    head.headerFields[.contentLength] = announced
    head.headerFields[.idempotencyKey] = key
    return Request(head: head, body: RequestBody(buffer: ByteBuffer()))
  }

  @Test(
    arguments: [
      ("5", nil, 5), ("100", nil, 100), ("500", nil, 100), (nil, nil, 100), ("x", nil, 100),
      ("-5", nil, 0), ("5", "key", 10), (nil, "key", 200),
    ] as [(String?, String?, Int)])
  func `a body takes what it announces, and with a key that twice`(
    _ announced: String?, _ key: String?, _ bytes: Int
  ) async throws {
    let room = UploadRoom(limit: bytes + 1)
    let request = Self.request(announced, key: key)
    #expect(try await room.enter(request, atMost: 100) == bytes)
    #expect(await room.enter(1))
    let other = Task { await room.enter(1) }
    while room.waitingCount < 1 { await Task.yield() }
    room.leave(bytes + 1)
    #expect(await other.value)
  }

  @Test func `a request that finds too many waiting is told to come again`() async throws {
    let room = UploadRoom(limit: 1, mostWaiting: 0)
    #expect(await room.enter(1))
    let problem = await #expect(throws: Problem.self) {
      try await room.enter(Self.request("1"), atMost: 100)
    }
    #expect(problem?.kind == .busy)
    #expect(problem?.headers[.retryAfter] == "5")
  }
}
