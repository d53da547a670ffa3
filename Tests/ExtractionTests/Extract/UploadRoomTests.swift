import Testing

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
}
