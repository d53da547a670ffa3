import Foundation
import FoundationNetworking
import JSONText
import Synchronization
import TollbookTestSupport

/// How a run of the binary ended.
struct Ended: Sendable {
  let status: Int32
  let output: String
  let errors: String

  var lines: [Substring] { output.split(separator: "\n") }
}

/// The built command-line tool, run as a process of its own as people run it.
enum Binary {
  /// Beside the test bundle, where the build puts both.
  private static let url: URL = {
    let tests = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    var folder = tests.deletingLastPathComponent()
    while folder.path != "/" {
      let tool = folder.appending(path: "tollbook")
      if FileManager.default.isExecutableFile(atPath: tool.path), !tool.hasDirectoryPath {
        return tool
      }
      folder.deleteLastPathComponent()
    }
    preconditionFailure("build the product tollbook before its tests")
  }()

  static func process(
    _ arguments: [String], in folder: String, environment: [String: String]
  ) -> Process {
    let process = Process()
    process.executableURL = url
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    // Nothing of the environment of the tests: what is set there is not what is tested.
    process.environment = environment.merging(
      ["TMPDIR": folder, "SWIFT_BACKTRACE": "enable=no"], uniquingKeysWith: { own, _ in own })
    process.standardInput = FileHandle.nullDevice
    return process
  }

  /// Runs it to its end.
  static func run(
    _ arguments: [String], in folder: TemporaryFolder, environment: [String: String] = [:]
  ) async throws -> Ended {
    let process = process(arguments, in: folder.path, environment: environment)
    let output = Lines()
    let errors = Lines()
    process.standardOutput = output.pipe
    process.standardError = errors.pipe
    try process.run()
    let texts = (await output.all(), await errors.all())
    process.waitUntilExit()
    return Ended(status: process.terminationStatus, output: texts.0, errors: texts.1)
  }
}

/// What a process writes, as it comes.
final class Lines: Sendable {
  let pipe = Pipe()
  private let text = Mutex("")

  /// Everything until the other side closes.
  func all() async -> String {
    while await next() {}
    return text.withLock { $0 }
  }

  /// Everything up to the first portion after which `isEnough`; nil if the other side closes before.
  func until(_ isEnough: (String) -> Bool) async -> String? {
    while !text.withLock({ isEnough($0) }) {
      guard await next() else { return nil }
    }
    return text.withLock { $0 }
  }

  /// Waits on a thread that may be blocked.
  private func next() async -> Bool {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async { [self] in
        let data = pipe.fileHandleForReading.availableData
        text.withLock { $0 += String(decoding: data, as: UTF8.self) }
        continuation.resume(returning: !data.isEmpty)
      }
    }
  }
}

/// A process that serves until it is stopped: `serve` or `simulate`.
final class Serving: Sendable {
  private let process: Process
  private let output = Lines()
  private let errors = Lines()
  /// What it said when it was ready.
  let greeting: String
  /// Where it answers.
  let url: String

  /// Starts it and returns when it says that it is ready.
  ///
  /// - Parameter fileLimit: how long its files may become, in bytes.
  init(
    _ arguments: [String], in folder: TemporaryFolder, environment: [String: String] = [:],
    fileLimit: Int? = nil
  ) async throws {
    process = Binary.process(arguments, in: folder.path, environment: environment)
    if let fileLimit, let tool = process.executableURL {
      // In a shell as POSIX has it a block is 512 bytes.
      let script = #"ulimit -f "$0" && exec "$@""#
      process.executableURL = URL(fileURLWithPath: "/bin/sh")
      process.arguments = ["-c", script, "\(fileLimit / 512)", tool.path] + arguments
    }
    process.standardOutput = output.pipe
    process.standardError = errors.pipe
    try process.run()
    let ready = await output.until { $0.contains("curl") && $0.hasSuffix("\n") }
    guard let ready else { throw NotReady(errors: await errors.all()) }
    greeting = ready
    url = String(
      ready.split(whereSeparator: \.isWhitespace).first { $0.hasPrefix("http://") } ?? "")
  }

  deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

  /// Where it answers with TLS.
  var secureURL: String? {
    greeting.split(whereSeparator: \.isWhitespace).first { $0.hasPrefix("https://") }
      .map(String.init)
  }

  var port: String { url.split(separator: ":").last.map(String.init) ?? "" }

  /// Sends a signal and waits for the end.
  func end(_ signal: Int32 = SIGTERM) async -> Ended {
    kill(process.processIdentifier, signal)
    let texts = (await output.all(), await errors.all())
    process.waitUntilExit()
    return Ended(status: process.terminationStatus, output: texts.0, errors: texts.1)
  }

  /// Waits until it has said something on standard error.
  ///
  /// - Returns: false if it has ended before.
  func says(_ text: String) async -> Bool { await errors.until { $0.contains(text) } != nil }

  func get(_ path: String) async throws -> JSONValue {
    try await send(URLRequest(url: address(path)))
  }

  @discardableResult
  func post(
    _ path: String, _ body: String, headers: [String: String] = [:]
  ) async throws -> JSONValue {
    var request = URLRequest(url: try address(path))
    request.httpMethod = "POST"
    request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
    request.httpBody = Data(body.utf8)
    return try await send(request)
  }

  /// Posts a form of texts and of files.
  func post(
    _ path: String, fields: [(name: String, text: String)],
    files: [(name: String, content: [UInt8])], headers: [String: String] = [:]
  ) async throws -> JSONValue {
    var request = URLRequest(url: try address(path))
    request.httpMethod = "POST"
    request.setValue(
      "multipart/form-data; boundary=part-of-a-form", forHTTPHeaderField: "Content-Type")
    for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
    let texts = fields.map { ("name=\"\($0.name)\"", Array($0.text.utf8)) }
    let contents = files.map { ("name=\"file\"; filename=\"\($0.name)\"", $0.content) }
    var body: [UInt8] = []
    for (words, content) in texts + contents {
      body += Array("--part-of-a-form\r\nContent-Disposition: form-data; \(words)\r\n\r\n".utf8)
      body += content + [13, 10]
    }
    request.httpBody = Data(body + Array("--part-of-a-form--\r\n".utf8))
    return try await send(request)
  }

  /// Posts JSON by curl, and has the status and the header too. Whoever kills the service meanwhile asks so: what
  /// Foundation has does not bear that.
  ///
  /// - Returns: nil: there was no answer.
  func reply(
    _ path: String, _ body: String, headers: [String: String] = [:]
  ) async throws -> Reply? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let fields = headers.merging(["Content-Type": "application/json"]) { own, _ in own }
    process.arguments =
      ["curl", "-s", "-i", "--max-time", "60", url + path, "-d", body]
      + fields.flatMap { ["-H", "\($0.key): \($0.value)"] }
    process.standardInput = FileHandle.nullDevice
    let output = Lines()
    process.standardOutput = output.pipe
    try process.run()
    let text = await output.all()
    process.waitUntilExit()
    return process.terminationStatus == 0 ? try Reply(text) : nil
  }

  func delete(_ path: String) async throws -> JSONValue {
    var request = URLRequest(url: try address(path))
    request.httpMethod = "DELETE"
    return try await send(request)
  }

  /// Asks for products and returns the answer.
  func batch(_ asins: [String]) async throws -> JSONValue {
    let list = asins.map { "\"\($0)\"" }.joined(separator: ",")
    return try await post("/keepa/batch-analyze", "{\"asinList\":[\(list)]}")
  }

  private func address(_ path: String) throws -> URL {
    guard let address = URL(string: url + path) else { throw URLError(.badURL) }
    return address
  }

  private func send(_ request: URLRequest) async throws -> JSONValue {
    let (data, _) = try await URLSession.shared.data(for: request)
    return try JSONDocument([UInt8](data)).root
  }
}

/// An answer with its status and header.
struct Reply: Sendable {
  let status: Int
  let headers: [String: String]
  let body: String
  let json: JSONValue

  /// From an HTTP message.
  init(_ message: String) throws {
    let end = message.firstRange(of: "\r\n\r\n") ?? message.endIndex..<message.endIndex
    let lines = message[..<end.lowerBound].split(separator: "\r\n")
    status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    headers = lines.dropFirst().reduce(into: [:]) { fields, line in
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2 { fields[String(parts[0])] = String(parts[1].dropFirst()) }
    }
    body = String(message[end.upperBound...])
    json = try JSONDocument(Array(body.utf8)).root
  }
}

/// It ended before it served.
struct NotReady: Error {
  let errors: String
}
