import Foundation
import Testing

@testable import tollbook

@Suite struct ReadmeTests {
  private let readme: String

  init() throws {
    var root = URL(fileURLWithPath: #filePath)
    while !FileManager.default.fileExists(atPath: root.appending(path: "README.md").path) {
      root.deleteLastPathComponent()
    }
    readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
  }

  /// The rows of the tables under a heading that begin with something typed.
  private func rows(under heading: String) -> [String] {
    readme.split(separator: "\n").drop { $0 != heading }.dropFirst()
      .prefix { !$0.hasPrefix("## ") }.filter { $0.hasPrefix("| `") }.map(String.init)
  }

  @Test func `the README's table of settings is the program's`() throws {
    let rows = rows(under: "## Settings")

    #expect(
      rows == Setting.all.map(\.row),
      "It should be:\n\(Setting.all.map(\.row).joined(separator: "\n"))")
  }

  /// What other providers would answer, pages and a predecessor's tables stand there as a whole.
  @Test func `every route has a row in the README`() async throws {
    let calls = rows(under: "## What it answers").compactMap { row in
      row.split(separator: "|").first
    }.joined()
    let whole: Set<Substring> = ["keepa", "gemini", "binance", "views", "deals", "snap", "pages"]
    try await RouteStand.serving { stand in
      let names = try #require(stand.listeners.first).routes.compactMap { route -> String? in
        let steps = route.pattern.split(separator: "/").filter { !$0.contains("{") && $0 != "**" }
        guard let first = steps.first, let last = steps.last else { return nil }
        return whole.contains(first) ? "/\(first)" : "/\(last)"
      }
      #expect(names.count > 100)
      for name in Set(names).sorted() {
        #expect(calls.contains(name), "no row names \(name)")
      }
    }
  }
}

extension Setting {
  /// Its row in the README.
  fileprivate var row: String {
    let standard = standard.map { $0.isEmpty ? "" : "`\($0)`" } ?? ""
    let flag = flag.map { " `\($0)`" } ?? ""
    return "| `\(environment)`\(flag) | \(standard) | \(help)\(isSecret ? " (secret)" : "") |"
  }
}
