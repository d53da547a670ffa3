import Foundation
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookHistory

/// The small snapshots in `Snapshots/`, one per format version that ever was: `tools/make-snapshot` made them.
@Suite struct CommittedSnapshotTests {
  private static let folder: URL = {
    var root = URL(fileURLWithPath: #filePath)
    while !FileManager.default.fileExists(atPath: root.appending(path: "Package.swift").path) {
      root.deleteLastPathComponent()
    }
    return root.appending(path: "Snapshots")
  }()

  private static func files() -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(SnapshotShelf.ending) }.sorted()
  }

  /// Name and text of every file with its digests.
  private static let snapshots = files()

  @Test func `there is one for every format version`() {
    #expect(Self.snapshots == (1...SnapshotFormat.version).map { "format-\($0).snapshot" })
  }

  @Test(arguments: snapshots)
  func `it can be read and restored, and gives the digests that were noted`(
    file: String
  ) async throws {
    let path = Self.folder.appending(path: file).path
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber
    #expect((size?.intValue ?? .max) < 100_000)
    let noted = try String(contentsOfFile: path + ".digest", encoding: .utf8)
    let reader = try SnapshotReader(path: path)
    try reader.readAll()
    #expect(Self.note(reader.manifest) == noted)

    let lab = try SnapshotLab(seed: 1)
    try FileManager.default.copyItem(atPath: path, toPath: lab.path("a.snapshot"))
    let outcome = try lab.restore(snapshot: "a.snapshot")
    #expect(noted.contains("state \(outcome.state)\n"))
    let log = try lab.open("restored")
    defer { log.close() }
    #expect(try LogVerifier(log).verify().damages.isEmpty)
    #expect((try lab.write(log, bodies: true, to: "b.snapshot")).state == reader.manifest.state)
  }

  /// What stands beside a snapshot, to be compared.
  private static func note(_ manifest: SnapshotManifest) -> String {
    var lines = [
      "position \(manifest.position)", "root \(manifest.commit.root.hexadecimal)",
      "bodies \(manifest.bodies?.stored ?? 0)",
    ]
    lines += manifest.views.map { "view \($0.id) \($0.digest.digest.hexadecimal)" }
    lines.append("state \(manifest.state)")
    return lines.map { "\($0)\n" }.joined()
  }

  /// Makes them anew, for `tools/make-snapshot`, which names the folder.
  @Test(.enabled(if: wanted != nil))
  func `the snapshot of this format version is made`() async throws {
    let folder = try #require(Self.wanted)
    let lab = try SnapshotLab(seed: 2_026)
    let log = try lab.open()
    defer { log.close() }
    try await lab.append(120, to: log)
    let manifest = try lab.write(log, bodies: true)
    let path = "\(folder)/format-\(SnapshotFormat.version).snapshot"
    try Data(contentsOf: URL(fileURLWithPath: lab.path("a.snapshot")))
      .write(to: URL(fileURLWithPath: path))
    try Data(Self.note(manifest).utf8).write(to: URL(fileURLWithPath: path + ".digest"))
  }

  private static var wanted: String? {
    ProcessInfo.processInfo.environment["TOLLBOOK_MAKE_SNAPSHOT"]
  }
}
