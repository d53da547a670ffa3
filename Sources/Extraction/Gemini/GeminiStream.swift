import JSONText
import Synchronization
import TollbookEvents

/// What was seen so far of an answer that comes in pieces: server-sent events, each with a piece of an answer as JSON
/// (WHATWG, HTML, section 9.2). Each piece tells the usage up to it; the last one is the charge.
struct GeminiStream: Sendable {
  /// The longest line that is looked at, in bytes; a longer one is passed over.
  private static let longestLine = 8 << 20

  private var line: [UInt8] = []
  private var isTooLong = false
  private(set) var usage: GeminiUsage?
  /// Whether a piece told that the model has ended as it should.
  private(set) var hasStopped = false
  private(set) var shortfall: String?
  private(set) var pieces = 0
  /// Whether anything has arrived, a whole piece or not.
  private(set) var isBegun = false

  init() {}

  /// One that arrived whole.
  init(_ bytes: [UInt8]) { read(bytes) }

  /// Takes in what arrived.
  mutating func read(_ bytes: [UInt8]) {
    if !bytes.isEmpty { isBegun = true }
    for byte in bytes {
      guard byte != UInt8(ascii: "\n") else {
        endLine()
        continue
      }
      guard line.count < Self.longestLine else {
        isTooLong = true
        continue
      }
      line.append(byte)
    }
  }

  private mutating func endLine() {
    defer {
      line.removeAll(keepingCapacity: true)
      isTooLong = false
    }
    let name = Array("data:".utf8)
    guard !isTooLong, line.starts(with: name) else { return }
    let data = line.dropFirst(name.count).drop { $0 == UInt8(ascii: " ") }
    let text = data.last == UInt8(ascii: "\r") ? data.dropLast() : data
    let document = try? JSONDocument(Array(text), maximumDepth: 64, maximumValues: 1 << 18)
    if let root = document?.root, root.kind == .object { read(piece: root) }
  }

  private mutating func read(piece: JSONValue) {
    pieces += 1
    usage = GeminiUsage(piece["usageMetadata"]) ?? usage
    if let block = piece["promptFeedback"]?["blockReason"]?.string {
      shortfall = "the prompt was blocked: \(block.inOneLine(atMost: 50))"
    }
    for candidate in piece["candidates"]?.array.map(Array.init) ?? [] {
      guard let reason = candidate["finishReason"]?.string else { continue }
      if reason == "STOP" {
        hasStopped = true
      } else {
        shortfall = shortfall ?? "the model ended with \(reason.inOneLine(atMost: 50))"
      }
    }
  }

  /// Whether it ended before the model did.
  var isCut: Bool { !hasStopped && shortfall == nil }

  /// Why the whole is no result though it was paid for; nil: it is one.
  var fault: String? {
    shortfall ?? (isCut ? "it was cut" : usage == nil ? "it does not say what it cost" : nil)
  }
}

/// One that is read while its parts go on to who waits for them.
final class SharedGeminiStream: Sendable {
  private let stream = Mutex(GeminiStream())

  func read(_ bytes: [UInt8]) { stream.withLock { $0.read(bytes) } }

  var seen: GeminiStream { stream.withLock { $0 } }
}
