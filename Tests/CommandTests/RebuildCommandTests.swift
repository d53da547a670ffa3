import Foundation
import JSONText
import Synchronization
import Testing
import TollbookTestSupport

/// `tollbook rebuild` as people run it, beside a Tollbook that serves and alone.
@Suite struct RebuildCommandTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let place = ["--simulate", "--data-dir", "data"]

  @Test(arguments: [
    ["serve", "--port", "0"], ["rebuild"], ["verify"], ["events"], ["audit"], ["replay"],
    ["log", "export", "--output", "x"], ["snapshot", "take"], ["resolve"],
  ])
  func `a folder that has lost its log is refused in a sentence and stays as it is`(
    command: [String]
  ) async throws {
    let serving = try await Serving(["serve", "--port", "0"] + Self.place, in: folder)
    _ = try await serving.batch(["B09T2ZLMHB"])
    #expect(await serving.end().status == 0)
    let file = URL(fileURLWithPath: "\(folder.path)/data/data.mdb")
    try Data().write(to: file)
    let before = try folder.contents()

    let ended = try await Binary.run(command + Self.place, in: folder)

    #expect(ended.status == 1)
    #expect(ended.output.isEmpty)
    #expect(ended.errors.contains("data/data.mdb is empty, but "), "\(ended.errors)")
    #expect(ended.errors.split(separator: "\n").count == 1)
    #expect(try folder.contents() == before)
  }

  @Test(.timeLimit(.minutes(30)))
  func `beside a Tollbook that serves no read fails while views are rebuilt`() async throws {
    let serving = try await Serving(["serve", "--port", "0"] + Self.place, in: folder)
    let asins = (0..<20).map { "B0000000\(10 + $0)" }
    _ = try await serving.batch(asins)

    // Asked again and again until the command has ended.
    let isDone = Mutex(false)
    let reads = Mutex<[Int]>([])
    async let reading: Void = {
      while !isDone.withLock({ $0 }) {
        let stats = try await serving.get("/ledger")
        let position = try #require(stats["position"]?.int)
        reads.withLock { $0.append(position) }
        let answer = try await serving.batch([asins[position % 20]])
        #expect(answer["stats"]?["cache_hits"]?.int == 1)
      }
    }()
    var rebuilds = 0
    while rebuilds < 3 || (rebuilds < 30 && reads.withLock { $0.count } < 4) {
      rebuilds += 1
      let ended = try await Binary.run(["rebuild"] + Self.place, in: folder)
      #expect(ended.status == 0, "\(ended.errors)")
      #expect(ended.output.contains("while they were served"))
      #expect(ended.output.contains("were the same, row by row"))
      #expect(ended.errors == "")
    }
    isDone.withLock { $0 = true }
    try await reading
    let positions = reads.withLock { $0 }
    #expect(positions == positions.sorted())
    #expect(positions.count > 3)
    let end = await serving.end()
    #expect(end.status == 0)

    let alone = try await Binary.run(["rebuild"] + Self.place, in: folder)
    #expect(alone.status == 0)
    #expect(alone.output.hasPrefix("Rebuilt all views from "))
    let verified = try await Binary.run(["verify"] + Self.place, in: folder)
    #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
  }

  @Test func `without a data directory there is nothing to rebuild`() async throws {
    let ended = try await Binary.run(["rebuild"] + Self.place, in: folder)
    #expect(ended.status != 0)
    #expect(ended.errors.contains("data"))
  }
}
