import Foundation
import Testing
import TollbookArchive
import TollbookEvents
import TollbookLog
import TollbookTestSupport

/// What is done to a file on its way.
@Suite(.timeLimit(.minutes(30))) struct ExportDamageTests {
  private let lab: ExportLab

  init() throws { lab = try ExportLab() }

  /// A small export of some commits, one of them of several events, with two bodies that are short.
  private func small() async throws -> String {
    let log = try lab.folder.openLog("small", time: lab.time.source)
    defer { log.close() }
    var events: [Event] = []
    let bodies = ["one", "two"].map { Body(Array("the body \($0)".utf8)) }
    for (index, body) in bodies.enumerated() {
      var written = CacheWritten()
      written.resource = "shared/x/\(index)"
      written.presence = .present
      written.body = Data(body.digest)
      events.append(.cacheWritten(written))
    }
    try await log.append([.serviceStarted(ServiceStarted())])
    try await log.append([events[0]], bodies: [bodies[0]])
    lab.time.advance(byMilliseconds: 1_000)
    try await log.append([.serviceStarted(ServiceStarted()), events[1]], bodies: [bodies[1]])
    try await log.append([.serviceStarted(ServiceStarted())])
    return try lab.export(LogSource(log), "small.export", from: .position(2))
  }

  /// A larger one.
  private func large(events: UInt64 = 300) async throws -> String {
    let log = try await lab.log("large", events: events)
    defer { log.close() }
    return try lab.export(LogSource(log), "large.export")
  }

  /// Where every frame begins and ends.
  private func bounds(_ path: String) throws -> [Range<UInt64>] {
    let frames = try Frames(path: path)
    var start: UInt64 = 16
    return ([Array(frames.opening[16...])] + frames.rest).map { frame in
      defer { start += UInt64(frame.count) }
      return start..<(start + UInt64(frame.count))
    }
  }

  @Test func `every flipped bit of an export is found, in the frame that it is in`() async throws {
    let path = try await small()
    let bounds = try bounds(path)
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    for offset in bytes.indices {
      for bit in UInt8(0)..<8 {
        try file.seek(toOffset: UInt64(offset))
        try file.write(contentsOf: Data([bytes[offset] ^ (1 << bit)]))
        let damages = ExportVerifier.verify(path: path).damages
        #expect(damages.count == 1, "byte \(offset), bit \(bit)")
        guard offset >= 16 else { continue }
        let frame = bounds.first { $0.contains(UInt64(offset)) }
        let place = damages.first?.place
        #expect(place?.offset == frame?.lowerBound, "byte \(offset), bit \(bit)")
      }
      try file.seek(toOffset: UInt64(offset))
      try file.write(contentsOf: Data([bytes[offset]]))
    }
    #expect(ExportVerifier.verify(path: path).damages.isEmpty)
  }

  @Test func `an export that is cut anywhere is found out`() async throws {
    let path = try await small()
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    let size = Int(try file.seekToEnd())
    for length in (0..<size).reversed() {
      try file.truncate(atOffset: UInt64(length))
      let damages = ExportVerifier.verify(path: path).damages
      let isCut: Bool
      switch damages.first {
      case .cut?: isCut = true
      case .notAnExport?: isCut = length == 0
      default: isCut = false
      }
      #expect(isCut, "cut at \(length): \(damages)")
    }
  }

  @Test func `something behind the end is found`() async throws {
    let path = try await small()
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.seekToEnd()
    try file.write(contentsOf: Data([0]))
    #expect(ExportVerifier.verify(path: path).damages.count == 1)
  }

  /// What may be done to the frames of an export, so that every checksum is right.
  enum Forgery: CaseIterable {
    case removed, swapped, twice, otherRecord, shortened, otherTime, otherRoot, otherFirst
    case endRemoved, endLies, bodyRemoved, bodyOfOthers, secondOpening, otherEdge
  }

  @Test(arguments: Forgery.allCases)
  func `a forged export is refused, and nothing of it is written`(forgery: Forgery) async throws {
    let path = try await large()
    var frames = try Frames(path: path)
    let commits = try frames.commits()
    // One with a body before it, so that all that is done to commits is done behind a frame of another kind too.
    let at = try #require(
      commits.indices.first { $0 > 5 && commits[$0 + 1] > commits[$0] + 1 }
    ).advanced(by: 1)
    guard case .commit(var commit)? = try frames.content(commits[at]),
      case .commit(let next)? = try frames.content(commits[at + 1])
    else {
      Issue.record("no commit")
      return
    }
    var expected = commit.first - 1
    switch forgery {
    case .removed: frames.rest.removeSubrange((commits[at - 1] + 1)...commits[at])
    case .swapped:
      frames.rest.swapAt(commits[at], commits[at + 1])
    case .twice:
      frames.rest.insert(frames.rest[commits[at]], at: commits[at])
      expected = commit.last
    case .otherRecord:
      let time = Timestamp(milliseconds: commit.timeMs)
      commit.records[0] = Data(Record.encode(.serviceStarted(ServiceStarted()), time: time))
    case .shortened: commit.records.removeLast()
    case .otherTime: commit.timeMs += 1
    case .otherRoot: commit.root = next.root
    case .otherFirst: commit.first += 1
    case .endRemoved:
      frames.rest.removeLast()
      expected = try #require(ExportVerifier.verify(path: path).totals).last
    case .endLies:
      var totals = try #require(ExportVerifier.verify(path: path).totals)
      expected = totals.last
      totals.events += 1
      frames.rest[frames.rest.count - 1] = ExportFormat.end(totals)
    case .bodyRemoved:
      frames.rest.remove(at: commits[at] - 1)
      expected = try #require(ExportVerifier.verify(path: path).totals).last
    case .bodyOfOthers:
      let body = Body(Array("something else".utf8))
      frames.rest.insert(
        ExportFormat.body(digest: body.digest, row: body.row), at: commits[at])
    case .secondOpening:
      frames.rest.insert(Array(frames.opening[16...]), at: commits[at])
    case .otherEdge:
      var edge = MerkleFrontier()
      _ = edge.append(MerkleTree.leafHash([1]))
      frames.opening = ExportFormat.opening(
        ExportHeader(
          mode: .simulated, first: 2, frontier: edge, time: .testStart, hasBodies: true))
      frames.rest.removeFirst()
      expected = 1
    }
    switch forgery {
    case .otherRecord, .shortened, .otherTime, .otherRoot, .otherFirst:
      frames.rest[commits[at]] = ExportFormat.frame(.commit(commit))
    default: break
    }
    let forged = lab.path("forged.export")
    try frames.write(to: forged)

    let damages = ExportVerifier.verify(path: forged).damages
    #expect(damages.count == 1)
    #expect(damages.first?.place?.position == expected, "\(damages)")
    let importer = try LogImporter(lab.folder.own("imported"), options: .scratch)
    #expect(throws: (any Error).self) {
      try LogImport.check(forged, for: importer, mode: .simulated)
    }
    #expect(importer.head == 0)
  }

  @Test func `a body that is not what its digest says is refused`() async throws {
    let path = try await large()
    var frames = try Frames(path: path)
    let at = try #require(
      frames.rest.indices.first { if case .body? = try? frames.content($0) { true } else { false } }
    )
    guard case .body(let body)? = try frames.content(at) else { return }
    let other = Body(Array("another content".utf8))
    frames.rest[at] = ExportFormat.body(digest: Array(body.digest), row: other.row)
    let forged = lab.path("forged.export")
    try frames.write(to: forged)
    let damages = ExportVerifier.verify(path: forged).damages
    #expect(damages.count == 1)
    #expect(damages.first?.description.contains("digest") == true)
  }

  @Test func `a file that is no export is refused by what it is`() async throws {
    func problem(_ content: [UInt8]) throws -> ExportProblem? {
      let path = lab.path("file")
      try Data(content).write(to: URL(fileURLWithPath: path))
      return ExportVerifier.verify(path: path).damages.first
    }
    let path = lab.path("file")
    #expect(try problem([]) == .notAnExport(path))
    #expect(try problem(Array("tollbook-snapshot\n".utf8)) == .notAnExport(path))
    #expect(try problem(Array("{\"position\":1}\n".utf8)) == .jsonLines(path))
    var opening = ExportOpening()
    opening.format = 2
    let newer = Array("tollbook-export\n".utf8) + ExportFormat.frame(.opening(opening))
    #expect(try problem(newer) == .newerFormat(path, format: 2))
    #expect(
      ExportVerifier.verify(path: lab.path("nothing")).damages.first
        == .unreadable(lab.path("nothing"), reason: "there is no such file"))
    #expect(
      ExportVerifier.verify(path: lab.folder.path).damages.first
        == .unreadable(lab.folder.path, reason: "it is a folder"))
  }
}
