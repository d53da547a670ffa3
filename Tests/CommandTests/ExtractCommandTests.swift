import Foundation
import Testing
import TollbookTestSupport

/// `tollbook extract` where it is refused.
@Suite struct ExtractCommandTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for number in 1...3 {
      try "%PDF-1.4".write(
        toFile: "\(folder.path)/\(number).pdf", atomically: true, encoding: .utf8)
    }
  }

  private func extract(_ url: String, account: String) async throws -> Ended {
    try await Binary.run(
      ["extract", ".", "--company", account, "--url", url], in: folder,
      environment: ["TOLLBOOK_ACCESS_KEY": "no-such-key"])
  }

  @Test func `that no Tollbook listens is told once, not for each document`() async throws {
    let ended = try await extract("http://127.0.0.1:1", account: "default")
    #expect(ended.status == 1)
    #expect(ended.errors.ranges(of: "no Tollbook answers").count == 1, "\(ended.errors)")
    #expect(ended.errors.contains("0 read, 0 known, 3 failed."), "\(ended.errors)")
  }

  @Test func `that no document would be taken is told once: a wrong key, or no such company`()
    async throws
  {
    let open = try await Serving(
      ["serve", "--simulate", "--port", "0", "--data-dir", "open"], in: folder)
    let unknown = try await extract(open.url, account: "nobody")
    #expect(unknown.errors.ranges(of: "there is no company").count == 1, "\(unknown.errors)")
    _ = await open.end()
    let closed = try await Serving(
      ["serve", "--simulate", "--port", "0", "--data-dir", "closed"], in: folder,
      environment: ["TOLLBOOK_ACCESS_KEY": "sesame"])
    let refused = try await extract(closed.url, account: "default")
    let lines = refused.errors.split(separator: "\n")
    #expect(refused.status == 1)
    #expect(lines.count == 2, "\(refused.errors)")
    _ = await closed.end()
  }
}
