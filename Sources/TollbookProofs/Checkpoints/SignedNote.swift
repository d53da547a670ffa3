import Crypto
import Foundation

/// A text with signatures below it, in the format of C2SP signed-note.
///
/// The text ends in a newline; then an empty line; then per signature an em dash, the name of the key, and in base64 the
/// four bytes of the key's id and the signature over the text.
package struct SignedNote: Hashable, Sendable {
  /// One line below the text.
  package struct Signature: Hashable, Sendable {
    package let name: String
    /// Four bytes.
    package let keyID: [UInt8]
    package let bytes: [UInt8]
  }

  private static let maximumSignatures = 64

  /// UTF-8, with the newline at its end.
  package let text: [UInt8]
  package let signatures: [Signature]

  package init(text: [UInt8], signatures: [Signature]) {
    self.text = text
    self.signatures = signatures
  }

  /// Reads a note; nil if it is none. Signatures are not checked: nobody knows yet whose count.
  package init?(_ bytes: [UInt8]) {
    guard String(validating: bytes, as: UTF8.self) != nil, bytes.last == UInt8(ascii: "\n"),
      bytes.allSatisfy({ $0 >= 0x20 || $0 == UInt8(ascii: "\n") }),
      let blank = bytes.indices.dropLast().last(where: {
        bytes[$0] == UInt8(ascii: "\n") && bytes[$0 + 1] == UInt8(ascii: "\n")
      })
    else { return nil }
    text = Array(bytes[...blank])
    let lines = bytes[(blank + 2)...].split(separator: UInt8(ascii: "\n"))
    guard (1...Self.maximumSignatures).contains(lines.count) else { return nil }
    var signatures: [Signature] = []
    for line in lines {
      let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      guard words.count == 3, Array(words[0]) == Array("—".utf8), !words[1].isEmpty,
        let signature = [UInt8](base64: String(decoding: words[2], as: UTF8.self)),
        signature.count > 4
      else { return nil }
      signatures.append(
        Signature(
          name: String(decoding: words[1], as: UTF8.self), keyID: Array(signature[..<4]),
          bytes: Array(signature[4...])))
    }
    self.signatures = signatures
  }

  package init?(_ note: String) { self.init(Array(note.utf8)) }

  package var bytes: [UInt8] {
    var bytes = text + [UInt8(ascii: "\n")]
    for signature in signatures {
      let base64 = (signature.keyID + signature.bytes).base64
      bytes.append(contentsOf: "— \(signature.name) \(base64)\n".utf8)
    }
    return bytes
  }

  package var string: String { String(decoding: bytes, as: UTF8.self) }
}

/// The public part of an Ed25519 key with its name: who checks notes holds this.
///
/// As text `name+id+key`: the id as eight hexadecimal digits, the key as base64 of the byte 1 and its 32 bytes.
package struct VerifierKey: Hashable, Sendable, CustomStringConvertible {
  /// What stands before the key's bytes for Ed25519.
  private static let algorithm: UInt8 = 1

  package let name: String
  package let publicKey: [UInt8]

  package init(name: String, publicKey: [UInt8]) {
    self.name = name
    self.publicKey = publicKey
  }

  /// Reads the text; nil if it is no such key, or its id is not that of the name and the key.
  package init?(_ text: some StringProtocol) {
    // The key itself may hold a plus.
    let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, Self.isName(parts[0]), let key = [UInt8](base64: String(parts[2])),
      key.count == 33, key[0] == Self.algorithm
    else { return nil }
    self.init(name: String(parts[0]), publicKey: Array(key[1...]))
    guard Array(parts[1].utf8) == Array(id.lowercaseHexadecimal.utf8) else { return nil }
  }

  /// Whether a key may be called that: no space, no control character, no plus.
  static func isName(_ name: some StringProtocol) -> Bool {
    !name.isEmpty
      && name.unicodeScalars.allSatisfy {
        $0.value >= 0x20 && $0 != "+" && !$0.properties.isWhitespace
      }
  }

  /// The four bytes by which signatures name the key.
  package var id: [UInt8] {
    var hasher = SHA256()
    hasher.update(data: Array(name.utf8))
    hasher.update(data: [0x0A, Self.algorithm])
    hasher.update(data: publicKey)
    return Array(hasher.finalize().prefix(4))
  }

  package var description: String {
    "\(name)+\(id.lowercaseHexadecimal)+\(([Self.algorithm] + publicKey).base64)"
  }

  /// Whether this key has signed the note: at least once, and never wrongly.
  package func hasSigned(_ note: SignedNote) -> Bool {
    guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey) else {
      return false
    }
    let id = id
    let own = note.signatures.filter { Array($0.name.utf8) == Array(name.utf8) && $0.keyID == id }
    return !own.isEmpty
      && own.allSatisfy { key.isValidSignature($0.bytes, for: note.text) }
  }

  package static func == (left: VerifierKey, right: VerifierKey) -> Bool {
    Array(left.name.utf8) == Array(right.name.utf8) && left.publicKey == right.publicKey
  }
}

extension [UInt8] {
  /// Standard base64 (RFC 4648, section 4).
  package var base64: String { Data(self).base64EncodedString() }

  /// Reads base64, and only the one text that the bytes have.
  package init?(base64 text: String) {
    guard let data = Data(base64Encoded: text) else { return nil }
    self = Array(data)
    guard Array<UInt8>(base64.utf8) == Array<UInt8>(text.utf8) else { return nil }
  }

  var lowercaseHexadecimal: String {
    map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
