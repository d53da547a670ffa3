import Foundation
import Testing

@Suite struct TidyTests {
  private let tree: SourceTree

  init() throws { tree = try SourceTree.shared.get() }

  /// Something that is not written here, with what is written instead.
  private struct Ban {
    let word: String
    let instead: String
    /// Beginnings of paths where it is looked for.
    var folders = ["Sources/"]
    /// Where it is allowed: beginnings of paths.
    var except: [String] = []
  }

  private static let bans = [
    Ban(
      word: "try!", instead: "throw, or `try #require` in a test",
      folders: ["Sources/", "Tests/", "tools/"]),
    Ban(
      word: " as! ", instead: "`as?` and say what happens otherwise",
      folders: ["Sources/", "Tests/", "tools/"]),
    Ban(word: "fatalError(", instead: "preconditionFailure with the rule that was broken"),
    Ban(
      word: "print(", instead: "a logger, or an answer to whoever asked",
      except: ["Sources/tollbook/"]),
    Ban(
      word: "Date()", instead: "a TimeSource that is handed in",
      except: [
        "Sources/TollbookLog/SystemTime.swift", "Sources/TollbookSimulators/WallClock.swift",
      ]
    ),
    Ban(word: "Task.detached", instead: "a child task, or Task"),
    Ban(
      word: ".random(", instead: "a generator that is handed in",
      except: ["Sources/tollbook/Running/Chance.swift"]),
    // Opening the lock and asking for a folder take pointers. The tree hashes records where they lie: SHA-256 takes a
    // pointer or a copy.
    Ban(
      word: "unsafe ", instead: "what the targets Bytes, Files, LMDB and Deflate offer",
      except: [
        "Sources/Bytes/", "Sources/Files/", "Sources/LMDB/", "Sources/Deflate/",
        "Sources/TollbookLog/DataDirectory.swift", "Sources/TollbookLog/DirectoryLock.swift",
        "Sources/TollbookLog/Tree/MerkleTree.swift",
      ]),
  ]

  @Test func `nothing banned is used`() {
    for ban in Self.bans {
      for (file, line) in lines(in: ban.folders, except: ban.except)
      where line.code.containsWord(ban.word) {
        Issue.record("\(file.path):\(line.number): not \(ban.word) but \(ban.instead)")
      }
    }
  }

  @Test func `chance in tests comes from a seed`() {
    for file in tree.files where file.path.hasPrefix("Tests/") {
      for (index, line) in file.lines.enumerated() where line.code.contains(".random(in:") {
        let call = line.code + (index + 1 < file.lines.count ? file.lines[index + 1].code : "")
        if !call.contains("using:") {
          Issue.record("\(file.path):\(line.number): name the generator with `using:`")
        }
      }
    }
  }

  @Test func `whoever says unchecked says why it is safe`() {
    for file in tree.files where file.path.hasPrefix("Sources/") {
      for (index, line) in file.lines.enumerated() where line.code.contains("@unchecked Sendable") {
        let around = file.lines[max(0, index - 3)...min(file.lines.count - 1, index + 3)]
        if !around.contains(where: { $0.comment.contains("SAFETY:") }) {
          Issue.record("\(file.path):\(line.number): say in a SAFETY: comment why this is safe")
        }
      }
    }
  }

  @Test func `nothing is left to do`() {
    let marks = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
    for (file, line) in lines(in: ["Sources/", "Tests/", "tools/"]) {
      if let mark = marks.first(where: { line.comment.containsWord($0) }) {
        Issue.record("\(file.path):\(line.number): do it now or leave it: \(mark)")
      }
    }
  }

  /// The formatter looks after code; it leaves comments as wide as they are.
  @Test func `lines fit on a screen and files in a head`() {
    for file in tree.files {
      for line in file.lines where line.text.utf8.count > 100 {
        let isComment = line.code.allSatisfy(\.isWhitespace)
        if line.text.count > (isComment ? 125 : 100) {
          Issue.record("\(file.path):\(line.number): \(line.text.count) characters")
        }
      }
      if file.lines.count > 600 {
        Issue.record("\(file.path):1: \(file.lines.count) lines; split it at 600")
      }
    }
  }

  @Test func `types that others use say what they are`() {
    for file in tree.files where file.path.hasPrefix("Sources/") {
      for (index, line) in file.lines.enumerated() where line.code.declaresPackageType {
        var above = index - 1
        while above >= 0, file.lines[above].code.hasPrefix("@") { above -= 1 }
        if above < 0 || !file.lines[above].comment.hasPrefix("///") {
          Issue.record("\(file.path):\(line.number): begin with a /// comment")
        }
      }
    }
  }

  private func lines(
    in folders: [String], except: [String] = []
  ) -> [(SourceTree.File, SourceTree.Line)] {
    tree.files.filter { file in
      folders.contains { file.path.hasPrefix($0) } && !except.contains { file.path.hasPrefix($0) }
    }.flatMap { file in file.lines.map { (file, $0) } }
  }
}

extension String {
  /// Whether the word stands there and is not the end of a longer one.
  fileprivate func containsWord(_ word: String) -> Bool {
    var rest = self[...]
    while let found = rest.firstRange(of: word) {
      let before = rest[..<found.lowerBound].last
      let isWhole = before.map { !($0.isLetter || $0.isNumber || $0 == "_") } ?? true
      let isBare = word.first.map { !$0.isLetter } ?? true
      if isWhole || isBare { return true }
      rest = rest[found.upperBound...]
    }
    return false
  }

  /// Whether a type that other targets see is declared here, not inside of another one.
  fileprivate var declaresPackageType: Bool {
    guard hasPrefix("package ") || hasPrefix("@safe package ") else { return false }
    let words = split(separator: " ").filter { !["final", "indirect", "@safe"].contains($0) }
    return words.count > 1
      && ["struct", "enum", "class", "protocol", "actor", "typealias"].contains(words[1])
  }
}
