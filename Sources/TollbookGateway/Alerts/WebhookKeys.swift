import TollbookEvents
package import TollbookUpstreams

/// What is secret of webhooks: whole addresses, which may hold passwords, and what signs. It lies in a file beside the
/// log, in no event, answer, export or snapshot. Whoever loses the file loses nothing else: such a webhook is listed as
/// lost, and is set anew.
///
/// A line for each: the id, the address and the secret.
package final class WebhookKeys: Sendable {
  package static let fileName = "webhooks.key"

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

  private let file: SecretFile<Entry>

  /// - Parameter folder: the data directory.
  package init(folder: String) {
    file = SecretFile("\(folder)/\(Self.fileName)", of: "webhooks")
  }

  /// Nil: it is not known, or not any more.
  package func entry(of webhook: String) -> Entry? { file[webhook] }

  /// Keeps what is secret of a webhook, on the disk before it returns.
  package func set(_ entry: Entry, of webhook: String) throws(AccountRefusal) {
    try file.change { $0[webhook] = entry }
  }

  /// Forgets a webhook.
  package func remove(_ webhook: String) throws(AccountRefusal) {
    try file.change { $0[webhook] = nil }
  }
}

extension WebhookKeys.Entry: SecretLine {
  init?(fields: [[UInt8]]) {
    let texts = fields.map { String(decoding: $0, as: UTF8.self) }
    guard texts.count == 2, let url = try? GivenURL(texts[0]) else { return nil }
    self.init(url: url, secret: texts[1])
  }

  var fields: [[UInt8]] { [Array(url.text.utf8), Array(secret.utf8)] }
}
