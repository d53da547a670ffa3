import Foundation
import Testing

/// The targets in reading order: each imports only what stands above it. The way data flows, too.
private let house = [
  ["CLMDB", "CZlib", "CCRC32C", "CProcess"],
  ["Bytes", "Files"],
  ["LMDB", "Deflate", "JSONText"],
  ["TollbookEvents"],
  ["TollbookLog"],
  ["TollbookViews"],
  ["TollbookUpstreams"],
  ["TollbookGateway"],
  ["TollbookArchive"],
  ["TollbookAudit"],
  ["TollbookProofs"],
  ["TollbookForecast"],
  ["TollbookHTTP"],
  ["Keepa"],
  ["Market"],
  ["Extraction"],
  ["DealScout"],
  ["TollbookSimulators"],
  ["tollbook"],
]

@Suite struct DirectionTests {
  private let tree: SourceTree

  init() throws { tree = try SourceTree.shared.get() }

  @Test func `a target imports only targets above it`() {
    for file in tree.files where file.path.hasPrefix("Sources/") {
      let target = String(file.path.split(separator: "/")[1])
      guard let own = floor(of: target) else {
        Issue.record("\(file.path):1: \(target) has no place in the house; give it one here")
        continue
      }
      for line in file.lines {
        guard let name = imported(line.code), let floor = floor(of: name) else { continue }
        if floor >= own && !(floor == own && name == target) {
          Issue.record("\(file.path):\(line.number): \(target) stands above \(name) or beside it")
        }
      }
    }
  }

  @Test func `every folder of Sources is in the house and in the README's guide`() throws {
    let folders = try FileManager.default.contentsOfDirectory(
      atPath: tree.root.appending(path: "Sources").path)
    let readme = try tree.text(of: "README.md")
    for folder in folders.sorted() {
      #expect(floor(of: folder) != nil, "Sources/\(folder)")
      #expect(readme.contains("`\(folder)`"), "README.md does not name Sources/\(folder)")
    }
  }

  @Test func `the engine names no provider and nothing that only one of them sells`() {
    let engine = house.prefix { !$0.contains("Keepa") }.flatMap(\.self)
    // In events that were written once a word stays for ever: the summary of a product is a message there.
    let isStored: (String) -> Bool = { $0.hasPrefix("Sources/TollbookEvents/") }
    let words = /\b(keepa|asins?|buy ?box|fba|gemini|google|invoice_number|binance|ebay)\b/
      .ignoresCase()
    for file in tree.files where file.path.hasPrefix("Sources/") && !isStored(file.path) {
      guard engine.contains(String(file.path.split(separator: "/")[1])) else { continue }
      for line in file.lines {
        if let match = line.text.firstMatch(of: words) {
          Issue.record("\(file.path):\(line.number): the engine names “\(match.output.0)”")
        }
      }
    }
  }

  @Test func `only the log, the views and the archive import LMDB`() {
    let readers = ["LMDB", "TollbookLog", "TollbookViews", "TollbookArchive"]
    for file in tree.files where file.path.hasPrefix("Sources/") {
      guard !readers.contains(String(file.path.split(separator: "/")[1])) else { continue }
      for line in file.lines where imported(line.code) == "LMDB" {
        Issue.record("\(file.path):\(line.number): who reads gets a `LogReading`, not LMDB")
      }
    }
  }

  private func floor(of target: String) -> Int? {
    house.firstIndex { $0.contains(target) }
  }

  /// The module that a line imports.
  private func imported(_ code: String) -> String? {
    let words = code.split(separator: " ")
    guard let index = words.firstIndex(of: "import"), index <= 2, index + 1 < words.count else {
      return nil
    }
    // `import struct Module.Name`
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "typealias"]
    let name = kinds.contains(words[index + 1]) ? words.last : words[index + 1]
    return name.map { String($0.split(separator: ".")[0]) }
  }
}
