import Foundation

/// The Swift files that people write: everything but generated code.
struct SourceTree {
  /// A line apart from its comment and from what stands inside of its texts.
  struct Line {
    let number: Int
    let text: String
    /// The line without comment, its texts emptied.
    let code: String
    /// From `//` on; empty if there is no comment.
    let comment: String
  }

  struct File {
    /// From the root of the package on.
    let path: String
    let lines: [Line]
  }

  /// Read once for all tests.
  static let shared = Result { try SourceTree() }

  let root: URL
  let files: [File]

  private init() throws {
    var root = URL(fileURLWithPath: #filePath)
    while !FileManager.default.fileExists(atPath: root.appending(path: "Package.swift").path) {
      root.deleteLastPathComponent()
    }
    self.root = root
    files = try ["Sources", "Tests", "tools"].flatMap { folder in
      try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: folder).path)
        .filter { $0.hasSuffix(".swift") && !$0.contains("Generated/") }
        .sorted()
        .map { name in
          let path = "\(folder)/\(name)"
          let text = try String(contentsOf: root.appending(path: path), encoding: .utf8)
          return File(path: path, lines: Self.lines(text))
        }
    }
  }

  func text(of path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  static func lines(_ text: String) -> [Line] {
    var splitter = CodeSplitter()
    return text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map {
      let (code, comment) = splitter.split(String($1))
      return Line(number: $0 + 1, text: String($1), code: code, comment: comment)
    }
  }
}

/// Tells code from comments and from texts, line by line. Knows of texts what the tree uses: `"…"` and `"""`.
private struct CodeSplitter {
  private var isInLongText = false

  mutating func split(_ line: String) -> (code: String, comment: String) {
    if !isInLongText && !line.contains("\"") && !line.contains("//") { return (line, "") }
    var code = ""
    var rest = line[...]
    while !rest.isEmpty {
      if rest.hasPrefix("\"\"\"") {
        isInLongText.toggle()
        rest = rest.dropFirst(3)
      } else if isInLongText {
        rest = rest.dropFirst()
      } else if rest.hasPrefix("//") {
        return (code, String(rest))
      } else if rest.first == "\"" {
        code += "\"\""
        rest = Self.afterText(rest.dropFirst())
      } else {
        code.append(rest.removeFirst())
      }
    }
    return (code, "")
  }

  /// What follows after the closing quote.
  private static func afterText(_ text: Substring) -> Substring {
    var rest = text
    var depth = 0
    while let character = rest.first {
      if rest.hasPrefix("\\(") {
        depth += 1
        rest = rest.dropFirst(2)
      } else if character == "\\" {
        rest = rest.dropFirst(2)
      } else if depth > 0 {
        if character == "(" { depth += 1 }
        if character == ")" { depth -= 1 }
        rest = rest.dropFirst()
      } else if character == "\"" {
        return rest.dropFirst()
      } else {
        rest = rest.dropFirst()
      }
    }
    return rest
  }
}
