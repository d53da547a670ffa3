import Files
import Foundation
import Synchronization
import TollbookEvents
package import TollbookUpstreams

/// What is secret of webhooks: whole addresses, which may hold passwords, and what signs. It lies in a file beside the
/// log, in no event, answer, export or snapshot. Whoever loses the file loses nothing else: such a webhook is listed as
/// lost, and is set anew.
///
/// A line for each: the id, and in base64 the address and the secret.
package final class WebhookKeys: Sendable {
  package static let fileName = "webhooks.key"
  private static let newFileName = "webhooks.key.new"

  /// What is secret of one.
  package struct Entry: Hashable, Sendable {
    package var url: GivenURL
    /// Empty: it is not signed.
    package var secret: String

    package init(url: GivenURL, secret: String) {
      self.url = url
      self.secret = secret
    }
  }

  private struct State {
    var entries: [String: Entry] = [:]
    /// Whether the file was there and could be read, or was not there.
    var isReadable = true
  }

  private let folder: String
  private let state: Mutex<State>

  /// - Parameter folder: the data directory.
  package init(folder: String) {
    self.folder = folder
    state = Mutex(Self.read("\(folder)/\(Self.fileName)"))
  }

  /// Nil: it is not known, or not any more.
  package func entry(of webhook: String) -> Entry? { state.withLock { $0.entries[webhook] } }

  /// Keeps what is secret of a webhook, on the disk before it returns.
  package func set(_ entry: Entry, of webhook: String) throws(AccountRefusal) {
    try change { $0[webhook] = entry }
  }

  /// Forgets a webhook.
  package func remove(_ webhook: String) throws(AccountRefusal) {
    try change { $0[webhook] = nil }
  }

  private func change(_ body: (inout [String: Entry]) -> Void) throws(AccountRefusal) {
    let problem: String? = state.withLock { state in
      guard state.isReadable else { return "is no file of webhooks; move it away, and start again" }
      var entries = state.entries
      body(&entries)
      guard entries != state.entries else { return nil }
      guard write(entries) else { return "cannot be written" }
      state.entries = entries
      return nil
    }
    if let problem {
      throw AccountRefusal(.conflict, "secret", "\(folder)/\(Self.fileName) \(problem)")
    }
  }

  /// Whole or not at all: beside it first, then brought to the disk, then renamed.
  private func write(_ entries: [String: Entry]) -> Bool {
    let lines = entries.sorted { $0.key < $1.key }.map { id, entry in
      "\(id) \(Self.base64(entry.url.text)) \(Self.base64(entry.secret))\n"
    }
    let new = "\(folder)/\(Self.newFileName)"
    try? FileManager.default.removeItem(atPath: new)
    return FileManager.default.createFile(
      atPath: new, contents: Data(lines.joined().utf8), attributes: [.posixPermissions: 0o600])
      && DurableNames.synchronize(new) == nil
      && DurableNames.rename(new, to: "\(folder)/\(Self.fileName)") == nil
  }

  private static func read(_ path: String) -> State {
    var state = State()
    guard FileManager.default.fileExists(atPath: path) else { return state }
    guard let data = FileManager.default.contents(atPath: path) else {
      state.isReadable = false
      return state
    }
    for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
      guard words.count == 3, let address = text(base64: words[1]),
        let url = try? GivenURL(address), let secret = text(base64: words[2])
      else {
        state.isReadable = false
        continue
      }
      state.entries[words[0]] = Entry(url: url, secret: secret)
    }
    return state
  }

  private static func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

  private static func text(base64: String) -> String? {
    Data(base64Encoded: base64).map { String(decoding: $0, as: UTF8.self) }
  }
}
