import Bytes
import Crypto
import Foundation
import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport

@testable import TollbookArchive

@Suite struct SnapshotDamageTests {
  /// A snapshot in pieces.
  private struct Pieces {
    struct Piece {
      let offset: Int
      let kind: SnapshotFormat.Section
      let bytes: [UInt8]
    }

    let magic: [UInt8]
    var pieces: [Piece] = []

    init(_ file: [UInt8]) throws {
      magic = SnapshotFormat.magic
      var offset = magic.count
      while offset < file.count {
        let length = file.withRawSpan { Int($0.bigEndianUInt32(at: offset + 1)) }
        let end = offset + 9 + length + 4
        pieces.append(
          Piece(
            offset: offset, kind: try #require(SnapshotFormat.Section(rawValue: file[offset])),
            bytes: Array(file[offset..<end])))
        offset = end
      }
    }

    /// The file with an end that fits what is before it.
    func sealed() -> [UInt8] {
      let content = magic + pieces.filter { $0.kind != .end }.flatMap(\.bytes)
      return content + Self.section(.end, Array(SHA256.hash(data: content)))
    }

    static func section(_ kind: SnapshotFormat.Section, _ content: [UInt8]) -> [UInt8] {
      var bytes = SnapshotFormat.head(kind, length: content.count) + content
      bytes.append(bigEndian: crc32c(content.span))
      return bytes
    }
  }

  /// A small portable snapshot.
  private static func small() async throws -> (SnapshotLab, [UInt8]) {
    let lab = try SnapshotLab(seed: 11)
    let log = try lab.open()
    defer { log.close() }
    try await lab.append(45, to: log)
    let manifest = try lab.write(log, bodies: true)
    try #require((manifest.bodies?.stored ?? 0) > 1)
    return (lab, try bytes(of: lab.path("a.snapshot")))
  }

  private static func bytes(of path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  private static func problem(of path: String) -> SnapshotProblem? {
    do throws(SnapshotProblem) { _ = try SnapshotReader.verify(path) } catch { return error }
    return nil
  }

  private static func problem(of bytes: [UInt8], in lab: SnapshotLab) throws -> SnapshotProblem? {
    let path = lab.path("changed.snapshot")
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return problem(of: path)
  }

  @Test(.timeLimit(.minutes(30)))
  func `a flip of any byte is found, in the section that it is in`() async throws {
    let (lab, bytes) = try await Self.small()
    let sections = try Pieces(bytes).pieces.map(\.offset)
    let path = lab.path("a.snapshot")
    #expect(Self.problem(of: path) == nil)
    let file = try #require(FileHandle(forUpdatingAtPath: path))
    func put(_ byte: UInt8, at offset: Int) throws {
      try file.seek(toOffset: UInt64(offset))
      try file.write(contentsOf: [byte])
    }
    for offset in bytes.indices {
      // Every bit where the structure is, one bit of each byte elsewhere.
      let section = sections.last { $0 <= offset }
      let isHead = section.map { offset < $0 + 9 } ?? true
      for bit in isHead ? Array(0..<8) : [offset % 8] {
        try put(bytes[offset] ^ (1 << UInt8(bit)), at: offset)
        let problem = Self.problem(of: path)
        switch problem {
        case .damaged(path, _, let place, _)?:
          #expect(place == UInt64(section ?? 0), "byte \(offset): \(problem!)")
        case .foreign(path)?, .tooNew(path, _)?:
          #expect(offset < SnapshotFormat.magic.count, "byte \(offset): \(problem!)")
        default:
          Issue.record("byte \(offset), bit \(bit): \(String(describing: problem))")
        }
      }
      try put(bytes[offset], at: offset)
    }
    #expect(Self.problem(of: path) == nil)
  }

  @Test func `a cut at any place is found, and so is what is too much`() async throws {
    let (lab, bytes) = try await Self.small()
    let sections = try Pieces(bytes).pieces.map(\.offset)
    let places = Set(stride(from: 1, to: bytes.count, by: max(1, bytes.count / 300)))
      .union(sections).union(sections.map { $0 + 3 }).union([1, bytes.count - 1])
    #expect(places.count >= 100)
    for length in places.sorted() {
      switch try Self.problem(of: Array(bytes[..<length]), in: lab) {
      case .cut(_, let place, _)?: #expect(place == UInt64(length))
      case let problem: Issue.record("cut at \(length): \(String(describing: problem))")
      }
    }
    #expect(try Self.problem(of: [], in: lab) == .foreign(lab.path("changed.snapshot")))
    guard case .damaged? = try Self.problem(of: bytes + [0], in: lab) else {
      Issue.record("something behind the end was not found")
      return
    }
  }

  @Test func `a section that is missing, repeated or elsewhere is found even if the end fits`()
    async throws
  {
    let (lab, bytes) = try await Self.small()
    let whole = try Pieces(bytes)
    #expect(whole.sealed() == bytes)
    let count = whole.pieces.count - 1
    #expect(count > 5)
    for index in 0..<count {
      var removed = whole
      removed.pieces.remove(at: index)
      #expect(try Self.problem(of: removed.sealed(), in: lab) != nil, "removed \(index)")
      var repeated = whole
      repeated.pieces.insert(whole.pieces[index], at: index)
      #expect(try Self.problem(of: repeated.sealed(), in: lab) != nil, "repeated \(index)")
      guard index + 1 < count else { continue }
      var swapped = whole
      swapped.pieces.swapAt(index, index + 1)
      #expect(try Self.problem(of: swapped.sealed(), in: lab) != nil, "swapped \(index)")
    }
  }

  @Test func `a row changed with checksums that fit does not have the view's digest`() async throws
  {
    let (lab, bytes) = try await Self.small()
    var pieces = try Pieces(bytes)
    let index = try #require(pieces.pieces.firstIndex { $0.kind == .rows })
    let piece = pieces.pieces[index]
    var content = Array(piece.bytes[9..<(piece.bytes.count - 4)])
    content[content.count - 1] ^= 1
    pieces.pieces[index] = .init(
      offset: piece.offset, kind: .rows, bytes: Pieces.section(.rows, content))

    let problem = try Self.problem(of: pieces.sealed(), in: lab)

    guard case .damaged(_, _, _, let text)? = problem else {
      Issue.record("\(String(describing: problem))")
      return
    }
    #expect(text.contains("digest"), "\(text)")
  }

  @Test func `a body changed with checksums that fit does not have its digest`() async throws {
    let (lab, bytes) = try await Self.small()
    var pieces = try Pieces(bytes)
    let index = try #require(pieces.pieces.firstIndex { $0.kind == .bodies })
    let piece = pieces.pieces[index]
    var content = Array(piece.bytes[9..<(piece.bytes.count - 4)])
    let other = Body(Array("another content".utf8)).row
    let length = content.withRawSpan { Int($0.bigEndianUInt32(at: 32)) }
    var head = Array(content[..<32])
    head.append(bigEndian: UInt32(other.count))
    content.replaceSubrange(0..<(36 + length), with: head + other)
    pieces.pieces[index] = .init(
      offset: piece.offset, kind: .bodies, bytes: Pieces.section(.bodies, content))

    let problem = try Self.problem(of: pieces.sealed(), in: lab)

    guard case .damaged(_, "bodies", _, let text)? = problem else {
      Issue.record("\(String(describing: problem))")
      return
    }
    #expect(text.contains("does not match its digest"), "\(text)")
  }

  @Test func `bodies out of order are found`() async throws {
    let (lab, bytes) = try await Self.small()
    var pieces = try Pieces(bytes)
    let index = try #require(pieces.pieces.firstIndex { $0.kind == .bodies })
    let piece = pieces.pieces[index]
    let content = Array(piece.bytes[9..<(piece.bytes.count - 4)])
    let end = 36 + content.withRawSpan { Int($0.bigEndianUInt32(at: 32)) }
    try #require(end < content.count)
    pieces.pieces[index] = .init(
      offset: piece.offset, kind: .bodies,
      bytes: Pieces.section(.bodies, Array(content[end...] + content[..<end])))

    guard case .damaged(_, "bodies", _, let text)? = try Self.problem(of: pieces.sealed(), in: lab)
    else {
      Issue.record("bodies were taken in any order")
      return
    }
    #expect(text.contains("order"), "\(text)")
  }

  @Test func `what no other digest covers, the one at the end does`() async throws {
    let (lab, bytes) = try await Self.small()
    var pieces = try Pieces(bytes)
    let piece = pieces.pieces[0]
    let text = String(decoding: piece.bytes[9..<(piece.bytes.count - 4)], as: UTF8.self)
    let noted = text.replacing("\"note\":\"\"", with: "\"note\":\"forged\"")
    #expect(noted != text)
    pieces.pieces[0] = .init(
      offset: piece.offset, kind: .manifest, bytes: Pieces.section(.manifest, Array(noted.utf8)))

    #expect(try Self.problem(of: pieces.sealed(), in: lab) == nil)
    let forged = pieces.magic + pieces.pieces.flatMap(\.bytes)
    guard
      case .damaged(_, "its last section", _, let problem)? =
        try Self.problem(of: forged, in: lab)
    else {
      Issue.record("a forged note was not found")
      return
    }
    #expect(problem.contains("SHA-256"), "\(problem)")
  }

  @Test(arguments: ["2", "17", "99999999999"])
  func `a newer format is refused by its number`(version: String) async throws {
    let (lab, bytes) = try await Self.small()
    let line = Array("tollbook snapshot \(version)\n".utf8)
    let problem = try Self.problem(of: line + bytes[SnapshotFormat.magic.count...], in: lab)
    #expect(
      problem == .tooNew(lab.path("changed.snapshot"), format: UInt64(version) ?? 0))
    #expect("\(try #require(problem))".contains("format \(version); this version reads up to 1"))
  }

  @Test func `a manifest of a newer version is refused by its number`() async throws {
    let (lab, bytes) = try await Self.small()
    var pieces = try Pieces(bytes)
    let piece = pieces.pieces[0]
    let text = String(decoding: piece.bytes[9..<(piece.bytes.count - 4)], as: UTF8.self)
    let newer = text.replacing("\"format\":1,", with: "\"format\":2,")
    #expect(newer != text)
    pieces.pieces[0] = .init(
      offset: piece.offset, kind: .manifest,
      bytes: Pieces.section(.manifest, Array(newer.utf8)))
    #expect(
      try Self.problem(of: pieces.sealed(), in: lab)
        == .tooNew(lab.path("changed.snapshot"), format: 2))
  }

  @Test(arguments: [
    "", "\n", "{}", "SQLite format 3\0", "tollbook", "tollbook-export\n",
    "tollbook snapshots are fine\n", "tollbook snapshot \n", "tollbook snapshot 0\n",
    "tollbook snapshot 01\n", "tollbook snapshot x\n",
  ])
  func `a file of something else is refused`(text: String) async throws {
    let lab = try SnapshotLab(seed: 1)
    let problem = try Self.problem(of: Array(text.utf8), in: lab)
    switch problem {
    case .foreign?, .damaged?, .cut?: break
    default: Issue.record("\(text): \(String(describing: problem))")
    }
  }

  @Test func `what is no file is refused`() throws {
    let lab = try SnapshotLab(seed: 1)
    for path in [lab.folder.path, lab.path("nowhere.snapshot")] {
      guard case .unreadable(path, _)? = Self.problem(of: path) else {
        Issue.record("\(path): \(String(describing: Self.problem(of: path)))")
        continue
      }
    }
  }
}
