import Crypto
import Deflate
import Foundation
import TollbookEvents
import TollbookLog

/// Seals what belongs to one account with the account's data key, so that all of it can be made unreadable at once: in the
/// log, in old snapshots and in exports.
///
/// 1. What is sealed is AES-GCM (NIST SP 800-38D) with 256 bits over the compressed content, with a nonce of its own. The
///    name of the resource is authenticated with it: no body can be read as another one's.
/// 2. A digest is HMAC-SHA256 (RFC 2104) with a key that is derived from the data key (HKDF, RFC 5869): who does not have it
///    cannot try out what was digested.
/// 3. The keys lie in the key file, and nowhere else.
package struct DataKeys: Sendable {
  /// The longest content, in bytes.
  private static let longest = 256 << 20

  private let file: KeyFile

  init(_ file: KeyFile) { self.file = file }

  /// A digest of an account's own, in hexadecimal.
  ///
  /// - Throws: if the account has no data key that can be used.
  package func digest(_ bytes: [UInt8], of account: String) throws(AccountRefusal) -> String {
    let key = HKDF<SHA256>.deriveKey(
      inputKeyMaterial: try file.dataKey(of: account), info: Data("tollbook digest".utf8),
      outputByteCount: 32)
    return HMAC<SHA256>.authenticationCode(for: bytes, using: key).map(\.self).hexadecimal
  }

  /// Destroys the data key of an account.
  func shred(_ account: String) throws(AccountRefusal) {
    try file.shredDataKey(of: account)
  }

  /// A content as it is kept; nil: it belongs to no account, or cannot be sealed.
  func seal(_ content: [UInt8], as resource: ResourceKey) -> [UInt8]? {
    guard let account = resource.account, let key = try? file.dataKey(of: account),
      let box = try? AES.GCM.seal(
        gzip(content, level: 6), using: key, authenticating: Data(resource.description.utf8))
    else { return nil }
    return box.combined.map { Array($0) }
  }

  /// What was sealed; nil: it cannot be opened any more.
  func open(_ sealed: [UInt8], as resource: ResourceKey) -> [UInt8]? {
    guard let account = resource.account,
      let key = (try? file.knownDataKey(of: account)).flatMap(\.self),
      let box = try? AES.GCM.SealedBox(combined: sealed),
      let opened = try? AES.GCM.open(
        box, using: key, authenticating: Data(resource.description.utf8))
    else { return nil }
    return try? gunzip(Array(opened), maximumLength: Self.longest)
  }
}
