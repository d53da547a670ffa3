import Foundation
import JSONText
import Testing
import TollbookTestSupport

/// An answer that is held against a JSON Schema by a validator that is not ours, `jsonschema` from PyPI. One whose name
/// begins with `wrong: ` must not follow it.
struct SchemaCase: Sendable {
  let name: String
  let schema: String
  let answer: String

  private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "Clients/validate.py").path

  /// Expects of each that it follows its schema, or does not.
  static func check(_ cases: [SchemaCase], in folder: TemporaryFolder) async throws {
    let found = try await faults(cases, in: folder)
    #expect(found.count == cases.count)
    for (name, faults) in found {
      #expect(faults.isEmpty == !name.hasPrefix("wrong: "), "\(name): \(faults.prefix(3))")
    }
  }

  /// What the validator says is wrong with each, by name.
  private static func faults(
    _ cases: [SchemaCase], in folder: TemporaryFolder
  ) async throws -> [String: [String]] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(RealClientTests.python))
    process.arguments = [script]
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    let input = Pipe()
    let output = Lines()
    let errors = Lines()
    process.standardInput = input
    process.standardOutput = output.pipe
    process.standardError = errors.pipe
    var json = JSONWriter()
    json.array(cases) { json, one in
      json.object { json in
        json.field("name", one.name)
        json.rawField("schema", Array(one.schema.utf8))
        json.rawField("answer", Array(one.answer.utf8))
      }
    }
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data(json.bytes))
    try input.fileHandleForWriting.close()
    let (text, complaint) = (await output.all(), await errors.all())
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(complaint.suffix(2_000))")
    var found: [String: [String]] = [:]
    for line in text.split(separator: "\n") {
      let row = try JSONDocument(Array(line.utf8)).root
      found[row["name"]?.string ?? ""] = row["errors"]?.array?.compactMap(\.string) ?? ["unread"]
    }
    return found
  }
}
