import Foundation
import Testing

/// What the documents and scripts owe to whoever clones this.
@Suite struct DocumentTests {
  private let tree: SourceTree

  init() throws { tree = try SourceTree.shared.get() }

  @Test func `the README names no folder of somebody's machine`() throws {
    let readme = try tree.text(of: "README.md")
    for (number, line) in readme.split(separator: "\n", omittingEmptySubsequences: false)
      .enumerated()
    {
      for word in ["/root/", "/home/"]
      where line.contains(word) {
        Issue.record("README.md:\(number + 1): “\(word)” means nothing to a reader")
      }
    }
  }

  @Test(arguments: ["tools/run", "tools/test", "tools/check", "tools/generate-protos", ".ci/run"])
  func `a script stops at the first failure and can be run`(path: String) throws {
    let text = try tree.text(of: path)
    #expect(text.hasPrefix("#!/usr/bin/env bash\n"))
    #expect(text.contains("\nset -euo pipefail\n"))
    #expect(FileManager.default.isExecutableFile(atPath: tree.root.appending(path: path).path))
  }
}

@Suite struct SourceTreeTests {
  @Test(arguments: [
    ("let a = 1", "let a = 1", ""),
    ("let a = \"try! \\(b(\"//\"))\" // why", "let a = \"\" ", "// why"),
    ("/// doc", "", "/// doc"),
  ])
  func `comments and texts are not code`(text: String, code: String, comment: String) throws {
    let line = try #require(SourceTree.lines(text).first)

    #expect(line.code == code)
    #expect(line.comment == comment)
  }

  @Test func `a long text is no code either`() {
    let lines = SourceTree.lines("say(\"\"\"\n  try! it\n  \"\"\")")

    #expect(lines.map(\.code) == ["say(", "", ")"])
  }
}
