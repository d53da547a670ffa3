package import Crypto
import Foundation
import TollbookEvents

/// The secrets of credentials, sealed, and the data keys of accounts. They lie in a file beside the log, in no event,
/// answer, diagnostic, export or snapshot. Who removes one from the file has shredded it: nothing can read it any more.
/// Who loses the file, or the master key, puts the credentials in again; no figure changes.
///
/// A line for each: the id; nonce, ciphertext and tag of AES-GCM (NIST SP 800-38D) with a key of 256 bits, in one field.
/// The id is authenticated with it, so that no line can be read as another one's. A data key that was made without a
/// master key stands there as it is, behind an id that says so.
package final class KeyFile: Sendable {
  package static let fileName = "credentials.key"
  /// What the id of a line is authenticated with.
  private static let purpose = "tollbook credential "

  private let master: SymmetricKey?
  private let file: SecretFile<Sealed>

  /// - Parameters:
  ///   - folder: the data directory.
  ///   - master: what seals; nil: there is none, and nothing can be sealed or read.
  package init(folder: String, master: SymmetricKey?) {
    self.master = master
    file = SecretFile("\(folder)/\(Self.fileName)", of: "sealed credentials")
  }

  /// The master key that a text gives: 32 bytes in base64.
  ///
  /// - Throws: what is wrong with it; the text is not in the message.
  package static func master(_ text: String) throws(AccountRefusal) -> SymmetricKey {
    let trimmed = text.filter { !$0.isWhitespace }
    guard let data = Data(base64Encoded: trimmed) else {
      throw AccountRefusal(.invalid, "master_key", "the master key is not written in base64")
    }
    guard data.count == 32 else {
      throw AccountRefusal(
        .invalid, "master_key", "the master key has \(data.count) bytes; it must have 32")
    }
    return SymmetricKey(data: data)
  }

  /// The secret of a credential; nil: it is not there, or cannot be opened with this master key.
  package func secret(of credential: String) -> String? {
    guard let master, let sealed = file[credential],
      let box = try? AES.GCM.SealedBox(combined: sealed.bytes),
      let opened = try? AES.GCM.open(
        box, using: master, authenticating: Data((Self.purpose + credential).utf8))
    else { return nil }
    return String(decoding: opened, as: UTF8.self)
  }

  /// Whether a secret lies there, whether or not it can be opened.
  package func holds(_ credential: String) -> Bool { file[credential] != nil }

  /// Seals a secret and keeps it, on the disk before it returns.
  package func seal(_ secret: String, of credential: String) throws(AccountRefusal) {
    guard let master else {
      throw AccountRefusal(
        .conflict, "secret",
        "nothing can be sealed: set TOLLBOOK_MASTER_KEY, or TOLLBOOK_MASTER_KEY_FILE, to 32 bytes"
          + " in base64, such as `openssl rand -base64 32` prints")
    }
    let box = try? AES.GCM.seal(
      Data(secret.utf8), using: master, authenticating: Data((Self.purpose + credential).utf8))
    guard let combined = box?.combined else {
      throw AccountRefusal(.conflict, "secret", "it could not be sealed")
    }
    try file.change { $0[credential] = Sealed(Array(combined)) }
  }

  /// Removes a secret from the file: nothing can read it any more.
  package func shred(_ credential: String) throws(AccountRefusal) {
    try file.change { $0[credential] = nil }
  }

  // MARK: Data keys

  /// What the id of a data key begins with; the account follows.
  private static let dataKey = "data-key/"
  /// The same of one that no master key seals.
  private static let plainDataKey = "data-key-plain/"

  /// The data key of an account, made at first use and on the disk before it returns.
  ///
  /// - Throws: if there is one that cannot be opened, or none can be kept.
  func dataKey(of account: String) throws(AccountRefusal) -> SymmetricKey {
    if let known = try knownDataKey(of: account) { return known }
    let id = (master == nil ? Self.plainDataKey : Self.dataKey) + account
    let bytes = AccessKey.systemRandom(32)
    var line = bytes
    if let master {
      let box = try? AES.GCM.seal(
        bytes, using: master, authenticating: Data((Self.purpose + id).utf8))
      guard let combined = box?.combined else {
        throw AccountRefusal(.conflict, "data_key", "it could not be sealed")
      }
      line = Array(combined)
    }
    // Somebody else may have made one meanwhile: the first one stays.
    try file.change { $0[id] = $0[id] ?? Sealed(line) }
    guard let key = try knownDataKey(of: account) else {
      throw AccountRefusal(.conflict, "data_key", "it was shredded meanwhile")
    }
    return key
  }

  /// The data key of an account; nil: it has none.
  ///
  /// - Throws: if there is one that cannot be opened with this master key.
  func knownDataKey(of account: String) throws(AccountRefusal) -> SymmetricKey? {
    let plain = file[Self.plainDataKey + account]?.bytes
    if let plain, plain.count == 32 { return SymmetricKey(data: plain) }
    guard let sealed = file[Self.dataKey + account]?.bytes else { return nil }
    let id = Data((Self.purpose + Self.dataKey + account).utf8)
    guard let master, let box = try? AES.GCM.SealedBox(combined: sealed),
      let bytes = try? AES.GCM.open(box, using: master, authenticating: id)
    else {
      throw AccountRefusal(
        .conflict, "data_key",
        "the data key of \(account) cannot be opened: it was sealed with another master key")
    }
    return SymmetricKey(data: bytes)
  }

  /// Removes the data key of an account: what was sealed with it nothing can read any more.
  func shredDataKey(of account: String) throws(AccountRefusal) {
    try file.change { lines in
      lines[Self.plainDataKey + account] = nil
      lines[Self.dataKey + account] = nil
    }
  }
}

extension KeyFile {
  /// What a key sealed; or a data key as it is.
  private struct Sealed: SecretLine {
    var bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    init?(fields: [[UInt8]]) {
      guard fields.count == 1 else { return nil }
      bytes = fields[0]
    }

    var fields: [[UInt8]] { [bytes] }
  }
}
