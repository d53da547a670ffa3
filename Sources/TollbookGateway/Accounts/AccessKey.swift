import Crypto
import Foundation
import TollbookEvents
package import TollbookViews

/// A key that a client of Tollbook shows: `tollbook_ID_SECRET`. It is told once, when it is made; what is kept is its
/// digest.
package struct AccessKey: Hashable, Sendable {
  /// There can be so many, revoked ones included.
  package static let most = 100_000
  /// The longest text that is looked at, in bytes.
  package static let longest = 200
  private static let scheme = "tollbook"
  private static let idBytes = 5
  /// 160 bits: nobody finds it by trying, so that a fast digest protects it.
  private static let secretBytes = 20

  /// Names it, and is no secret.
  package let id: String
  /// What the client shows.
  package let text: String

  /// A new one.
  ///
  /// - Parameter random: gives so many bytes that nobody can guess.
  package init(random: (Int) -> [UInt8] = AccessKey.systemRandom) {
    id = Self.word(random(Self.idBytes))
    text = "\(Self.scheme)_\(id)_\(Self.word(random(Self.secretBytes)))"
  }

  /// What a client shows; nil if it has not the form of a key.
  package init?(_ text: String) {
    guard text.utf8.count <= Self.longest else { return nil }
    let parts = text.split(separator: "_", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == Self.scheme, !parts[1].isEmpty, !parts[2].isEmpty else {
      return nil
    }
    id = String(parts[1])
    self.text = text
  }

  /// SHA-256 of the text.
  package var digest: [UInt8] { Array(SHA256.hash(data: Data(text.utf8))) }

  /// Whether it is the one of that row. Takes the same time wherever they differ.
  package func isOf(_ row: AccessKeyRow) -> Bool {
    let digest = digest
    guard digest.count == row.digest.count else { return false }
    return zip(digest, row.digest).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }

  package static func systemRandom(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
  }

  /// Bytes as digits and small letters, without those that look alike: five bits each.
  private static func word(_ bytes: [UInt8]) -> String {
    let letters = Array("0123456789abcdefghjkmnpqrstvwxyz")
    var word = ""
    var (bits, count) = (0, 0)
    for byte in bytes {
      bits = bits << 8 | Int(byte)
      count += 8
      while count >= 5 {
        count -= 5
        word.append(letters[bits >> count & 31])
      }
      bits &= (1 << count) - 1
    }
    return word
  }
}
