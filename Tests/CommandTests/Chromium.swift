import Foundation
import JSONText
import TollbookTestSupport

/// A headless Chromium with one page, steered over a pipe as its developer tools steer it.
///
/// Source: Chrome DevTools Protocol, stable 1.3. Over a pipe each message ends with a zero byte.
actor Chromium {
  /// How a page is looked at.
  struct Look: Hashable, Sendable {
    /// In points.
    var width = 1_200
    var isDark = false
    /// Whether scripts of the page's own would run.
    var runsScripts = false
  }

  /// What the browser did not do.
  struct Refusal: Error { let reason: String }

  private static let path = "/usr/bin/chromium"
  static let isInstalled = FileManager.default.isExecutableFile(atPath: path)

  private let process = Process()
  private let orders = Pipe()
  private let answers = Pipe()
  private var unread: [UInt8] = []
  private var last = 0
  private var session: String?
  /// What it has told since it was last sent to a page.
  private var told: [JSONValue] = []

  /// - Parameter folder: where all that it writes goes.
  init(in folder: TemporaryFolder) async throws {
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    // It reads orders from 3 and answers on 4. Its sandbox does not run as root, nor in most containers.
    process.arguments = [
      "-c", #"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null"#, Self.path, "--headless",
      "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
      "--disable-background-networking", "--remote-debugging-pipe",
      "--user-data-dir=\(folder.path)/chromium", "about:blank",
    ]
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.environment = [
      "HOME": folder.path, "TMPDIR": folder.path, "PATH": "/usr/bin:/bin",
    ]
    process.standardInput = orders
    process.standardOutput = answers
    process.standardError = FileHandle.nullDevice
    try process.run()
    let page = try await ask("Target.createTarget") { $0.field("url", "about:blank") }
    let attached = try await ask("Target.attachToTarget") { json in
      json.field("targetId", page["targetId"]?.string ?? "")
      json.field("flatten", true)
    }
    session = attached["sessionId"]?.string
    for domain in ["Page", "Network", "DOM"] { try await ask("\(domain).enable") }
  }

  deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

  func end() async {
    session = nil
    _ = try? await ask("Browser.close")
    while !(await portion()).isEmpty {}
    process.waitUntilExit()
  }

  // MARK: Looking

  func look(_ look: Look) async throws {
    try await ask("Emulation.setDeviceMetricsOverride") { json in
      json.field("width", look.width)
      json.field("height", 844)
      json.field("deviceScaleFactor", 1)
      json.field("mobile", look.width < 600)
    }
    try await ask("Emulation.setEmulatedMedia") { json in
      json.array("features") { json in
        json.object { json in
          json.field("name", "prefers-color-scheme")
          json.field("value", look.isDark ? "dark" : "light")
        }
      }
    }
    try await ask("Emulation.setScriptExecutionDisabled") { $0.field("value", !look.runsScripts) }
  }

  /// Goes to a page, and waits until all of it is there.
  func open(_ url: String) async throws {
    try await loading {
      let answer = try await ask("Page.navigate") { $0.field("url", url) }
      if let fault = answer["errorText"]?.string { throw Refusal(reason: "\(url): \(fault)") }
    }
  }

  /// What an expression in JavaScript gives. It is asked from outside, also of a page that runs no scripts.
  @discardableResult
  func value(_ expression: String) async throws -> JSONValue? {
    let answer = try await ask("Runtime.evaluate") { json in
      json.field("expression", expression)
      json.field("returnByValue", true)
      json.field("awaitPromise", true)
    }
    if let fault = answer["exceptionDetails"] {
      throw Refusal(reason: "\(expression): \(String(decoding: fault.bytes, as: UTF8.self))")
    }
    return answer["result"]?["value"]
  }

  /// The text of the first element that a selector finds, also of what is folded up; nil: there is none.
  func text(_ selector: String) async throws -> String? {
    try await value("document.querySelector(`\(selector)`)?.textContent")?.string
  }

  /// Presses what an expression gives, and waits for the page to which that leads.
  func press(_ element: String) async throws {
    try await loading { try await value("\(element).click()") }
  }

  /// Chooses files in the field that a selector finds, as somebody does who is asked for them.
  func choose(_ files: [String], in selector: String) async throws {
    let document = try await ask("DOM.getDocument")["root"]?["nodeId"]?.int
    let field = try await ask("DOM.querySelector") { json in
      json.field("nodeId", document)
      json.field("selector", selector)
    }
    try await ask("DOM.setFileInputFiles") { json in
      json.field("nodeId", field["nodeId"]?.int)
      json.array("files", files)
    }
  }

  // MARK: What it has asked for

  /// The addresses that the page and what lies in it have asked for.
  var requests: [String] {
    told("Network.requestWillBeSent").compactMap { $0["request"]?["url"]?.string }
  }

  /// The answer that the page came with.
  var answer: JSONValue? {
    told("Network.responseReceived").last { $0["type"]?.string == "Document" }?["response"]
  }

  private func told(_ event: String) -> [JSONValue] {
    told.filter { $0["method"]?.string == event }.compactMap { $0["params"] }
  }

  // MARK: Messages

  /// Does what leads to a page, and waits until all of it is there.
  private func loading(_ lead: () async throws -> Void) async throws {
    told = []
    try await lead()
    func isThere() -> Bool {
      let events = told.map { $0["method"]?.string }
      // What ends before the page begins is the page before.
      guard let begun = events.firstIndex(of: "Page.frameNavigated") else { return false }
      return events[begun...].contains("Page.loadEventFired")
    }
    while !isThere() { told.append(try await next()) }
  }

  @discardableResult
  private func ask(
    _ method: String, _ write: (inout JSONWriter) -> Void = { _ in }
  ) async throws -> JSONValue {
    last += 1
    var json = JSONWriter()
    json.beginObject()
    json.field("id", last)
    json.field("method", method)
    json.fieldIfPresent("sessionId", session)
    json.object("params", write)
    json.endObject()
    guard process.isRunning else { throw Refusal(reason: "\(method): Chromium has ended") }
    try orders.fileHandleForWriting.write(contentsOf: Data(json.bytes + [0]))
    while true {
      let message = try await next()
      guard message["id"]?.int == last else {
        told.append(message)
        continue
      }
      guard let result = message["result"] else {
        throw Refusal(reason: "\(method): \(String(decoding: message.bytes, as: UTF8.self))")
      }
      return result
    }
  }

  private func next() async throws -> JSONValue {
    while true {
      if let end = unread.firstIndex(of: 0) {
        let message = Array(unread[..<end])
        unread.removeFirst(end + 1)
        return try JSONDocument(message).root
      }
      let portion = await portion()
      guard !portion.isEmpty else { throw Refusal(reason: "Chromium has ended") }
      unread += portion
    }
  }

  /// Waits on a thread that may be blocked.
  private func portion() async -> Data {
    let handle = answers.fileHandleForReading
    return await withCheckedContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(returning: handle.availableData) }
    }
  }
}
