import Foundation

/// Runs a Python script on lines, as an independent reader and writer of JSON.
enum Python {
  /// The lines that the script prints; Python 3 must be on the path.
  static func run(_ script: String, lines: [[UInt8]]) throws -> [String] {
    let folder = FileManager.default.temporaryDirectory
    let file = folder.appendingPathComponent("jsontext-\(UUID().uuidString)")
    try Data(lines.joined(separator: [10])).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script, file.path]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure() }
    return String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  struct Failure: Error {}
}
