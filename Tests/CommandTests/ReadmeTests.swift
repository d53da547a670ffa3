import Foundation
import Testing

@testable import tollbook

@Suite struct ReadmeTests {
  @Test func `the README's table of settings is the program's`() throws {
    var root = URL(fileURLWithPath: #filePath)
    while !FileManager.default.fileExists(atPath: root.appending(path: "README.md").path) {
      root.deleteLastPathComponent()
    }
    let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
    let rows = readme.split(separator: "\n").drop { $0 != "## Settings" }.dropFirst()
      .prefix { !$0.hasPrefix("## ") }.filter { $0.hasPrefix("| `") }.map(String.init)

    #expect(
      rows == Setting.all.map(\.row),
      "It should be:\n\(Setting.all.map(\.row).joined(separator: "\n"))")
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
