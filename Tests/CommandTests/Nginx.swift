import Foundation
import JSONText
import TollbookTestSupport

/// A program that is not ours and runs until it is ended.
final class Companion: Sendable {
  let process = Process()
  let output = Lines()
  let errors = Lines()
  private let ending: Int32

  /// - Parameters:
  ///   - folder: where it runs, and all that it knows of the environment.
  ///   - ending: the signal that ends it. Whoever does not see to that himself starts with the others blocked, as they are
  ///     in the thread that starts it.
  init(
    _ program: String, _ arguments: [String], in folder: String, endedBy ending: Int32 = SIGKILL
  ) throws {
    self.ending = ending
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.environment = ["HOME": folder, "TMPDIR": folder, "PATH": "/usr/bin:/usr/sbin:/bin"]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output.pipe
    process.standardError = errors.pipe
    try process.run()
  }

  deinit { if process.isRunning { kill(process.processIdentifier, ending) } }

  func end() async {
    kill(process.processIdentifier, ending)
    _ = (await output.all(), await errors.all())
    process.waitUntilExit()
  }

  /// What a program writes until it ends by itself.
  static func said(
    by program: String, _ arguments: [String], in folder: String
  ) async throws -> String {
    let companion = try Companion(program, arguments, in: folder)
    let (text, errors) = (await companion.output.all(), await companion.errors.all())
    companion.process.waitUntilExit()
    guard companion.process.terminationStatus == 0 else { throw NotReady(errors: errors) }
    return text
  }
}

/// The files of `tools/nginx`.
private let offered = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .appending(path: "../../tools/nginx").standardizedFileURL

/// The stand-in for the service that Tollbook takes over from.
struct OldService: Sendable {
  private let companion: Companion
  let port: String

  init(exchange: String, in folder: TemporaryFolder) async throws {
    companion = try Companion(
      "python3", [offered.appending(path: "old_service.py").path, "0", exchange], in: folder.path)
    guard let greeting = await companion.output.until({ $0.hasSuffix("\n") }) else {
      throw NotReady(errors: await companion.errors.all())
    }
    port = greeting.split(separator: ":").last.map { String($0.dropLast()) } ?? ""
  }

  func end() async { await companion.end() }
}

/// A real nginx with the configuration that `tools/nginx` offers, all its files in a folder of the test.
actor Nginx {
  /// A line of its own log.
  struct Request: Sendable {
    let service: String
    let status: String
    /// In weight; 0: nothing was told.
    let charge: Int64
    let client: String
    let path: String

    init?(_ line: Substring) {
      let words = line.split(separator: " ")
      guard words.count > 7, words[4].hasPrefix("charge=") else { return nil }
      (service, status) = (String(words[1]), String(words[2]))
      charge = Int64(words[4].dropFirst("charge=".count)) ?? 0
      (client, path) = (String(words[5]), String(words[7]))
    }
  }

  static let isInstalled = FileManager.default.isExecutableFile(atPath: "/usr/sbin/nginx")

  private let folder: String
  private let companion: Companion
  private let port: String
  /// How many requests were sent to it.
  private var sent = 0
  private var reloads = 0

  init(old: String, tollbook: String, in parent: TemporaryFolder) async throws {
    folder = "\(parent.path)/beside"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    port = try await Companion.said(
      by: "python3",
      [
        "-c",
        "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1])",
      ],
      in: folder
    ).filter(\.isNumber)
    for name in ["nginx.conf", "beside.conf", "share.conf"] {
      var text = try String(contentsOf: offered.appending(path: name), encoding: .utf8)
      for (offered, own) in [("8001", old), ("8000", tollbook), ("8080", port)] {
        text = text.replacing("127.0.0.1:\(offered);", with: "127.0.0.1:\(own);")
      }
      try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
    }
    companion = try Companion(
      "/usr/sbin/nginx",
      [
        "-p", folder, "-e", "stderr", "-c", "nginx.conf", "-g",
        "daemon off; error_log stderr notice;",
      ], in: folder, endedBy: SIGTERM)
    let ready = await companion.errors.until { $0.contains("start worker process ") }
    guard ready != nil else { throw NotReady(errors: await companion.errors.all()) }
  }

  func end() async { await companion.end() }

  /// Puts a text in the place of another one in `share.conf`.
  func set(_ text: String, to other: String) throws {
    let path = "\(folder)/share.conf"
    let before = try String(contentsOfFile: path, encoding: .utf8)
    guard before.ranges(of: text).count == 1 else {
      throw NotReady(errors: "share.conf does not say “\(text)” once:\n\(before)")
    }
    try before.replacing(text, with: other).write(toFile: path, atomically: true, encoding: .utf8)
  }

  /// Has it read its configuration anew, and waits until whoever went by the old one has ended.
  func reload() async throws {
    reloads += 1
    kill(companion.process.processIdentifier, SIGHUP)
    let wanted = reloads
    let ended = await companion.errors.until {
      $0.ranges(of: "exited with code 0").count >= wanted || $0.contains("[emerg]")
    }
    guard let ended, !ended.contains("[emerg]") else { throw NotReady(errors: ended ?? "") }
  }

  /// What it has answered so far, once all is in its log that was sent.
  func requests() async throws -> [Request] {
    while true {
      let log = try String(contentsOfFile: "\(folder)/beside.log", encoding: .utf8)
      let requests = log.split(separator: "\n").compactMap(Request.init)
      if requests.count >= sent, log.hasSuffix("\n") { return requests }
      await Task.yield()
    }
  }

  // MARK: Asking

  /// Clients that each ask for a price and for candles, one after the other, each from an address of its own; printed is
  /// the status of each answer.
  func asking(_ clients: ClosedRange<Int>) throws -> Companion {
    sent += 2 * clients.count
    var arguments: [String] = []
    for client in clients {
      for (path, rest) in [("/price", ""), ("/cvd", #","timeframe":"1d","limit":100"#)] {
        if !arguments.isEmpty { arguments.append("--next") }
        arguments += [
          "-s", "-o", "/dev/null", "-w", #"%{http_code}\n"#, "--max-time", "60", "--interface",
          "127.0.0.\(client)", "-H", "Content-Type: application/json", "-H", "Connection: close",
          "-d", "{\"symbol\":\"BTC/USDT\"\(rest)}", "http://127.0.0.1:\(port)\(path)",
        ]
      }
    }
    return try Companion("curl", arguments, in: folder)
  }

  func get(_ path: String) async throws -> JSONValue {
    sent += 1
    return try await json(["http://127.0.0.1:\(port)\(path)"])
  }

  func post(_ path: String, host: String) async throws -> JSONValue {
    sent += 1
    return try await json([
      "-H", "Host: \(host)", "-H", "Content-Type: application/json", "-d",
      #"{"symbol":"BTC/USDT"}"#, "http://127.0.0.1:\(port)\(path)",
    ])
  }

  private func json(_ arguments: [String]) async throws -> JSONValue {
    let text = try await Companion.said(
      by: "curl", ["-s", "--max-time", "60"] + arguments, in: folder)
    return try JSONDocument(Array(text.utf8)).root
  }
}
