import Bytes
import Crypto

/// What a client names a request by, so that a repeat is not made twice (draft 07 of the Idempotency-Key header field).
package struct IdempotencyKey: Hashable, Sendable {
  /// The longest that is taken, in bytes.
  package static let mostBytes = 255

  /// SHA-256 of the key and of whose it is: the same key of two access keys names two requests.
  package let digest: [UInt8]

  /// Nil if the text is empty, longer than ``mostBytes``, or not printable ASCII.
  package init?(_ text: String, of principal: Principal) {
    let isPrintable = text.utf8.allSatisfy { (0x20...0x7e).contains($0) }
    guard isPrintable, (1...Self.mostBytes).contains(text.utf8.count) else { return nil }
    let parts = ["tollbook idempotency key", principal.accessKey, principal.account, text]
    digest = Self.digest(of: parts.map { Array($0.utf8) })
  }

  /// SHA-256 of parts, each with its length in front of it.
  package static func digest(of parts: [[UInt8]]) -> [UInt8] {
    var bytes: [UInt8] = []
    for part in parts {
      bytes.append(bigEndian: UInt64(part.count))
      bytes += part
    }
    return Array(SHA256.hash(data: bytes))
  }
}
