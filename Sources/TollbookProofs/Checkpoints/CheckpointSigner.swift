import Crypto
import Files
import Foundation
package import TollbookLog

/// Why a directory's key cannot be used.
package enum CheckpointKeyError: Error, Hashable, Sendable, CustomStringConvertible {
  case missing(String)
  case unreadable(String)
  case unwritable(String)

  package var description: String {
    switch self {
    case .missing(let path):
      "\(path) is not there: the key that signs checkpoints is made when Tollbook serves for the"
        + " first time. Start it once with tollbook serve."
    case .unreadable(let path):
      "\(path) is not a key that signs checkpoints. Put the right file back; or move this"
        + " one away, and the next start makes a new key, which whoever checks has to be told."
    case .unwritable(let path): "\(path) cannot be written, so checkpoints cannot be signed."
    }
  }
}

/// Signs with the key of a data directory: checkpoints, and the seals of statements.
///
/// The key is called `tollbook/` and eight digits of the SHA-256 of its public part; with simulated upstreams
/// `tollbook-simulated/`, so that a signature also says which of the two. It is in `checkpoint.key`, readable by the
/// owner alone, as one line `PRIVATE+KEY+name+id+key`: what Go's note tools read and write too.
package struct CheckpointSigner: Sendable {
  package static let fileName = "checkpoint.key"
  private static let prefix = "PRIVATE+KEY+"

  package let verifier: VerifierKey
  private let key: Curve25519.Signing.PrivateKey

  /// A key from its 32 secret bytes; nil if these are no key.
  package init?(seed: [UInt8], mode: LogMode) {
    guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else { return nil }
    self.init(key, mode: mode)
  }

  private init(_ key: Curve25519.Signing.PrivateKey, mode: LogMode) {
    self.key = key
    let publicKey = Array(key.publicKey.rawRepresentation)
    verifier = VerifierKey(name: Self.name(of: publicKey, mode: mode), publicKey: publicKey)
  }

  /// What a key is called, and so the origin of a log's checkpoints.
  package static func name(of publicKey: [UInt8], mode: LogMode) -> String {
    let digest = Array(SHA256.hash(data: publicKey).prefix(4)).lowercaseHexadecimal
    return mode == .real ? "tollbook/\(digest)" : "tollbook-simulated/\(digest)"
  }

  /// A note with that text, signed.
  package func sign(_ text: [UInt8]) throws -> SignedNote {
    let signature = Array(try key.signature(for: text))
    return SignedNote(
      text: text,
      signatures: [.init(name: verifier.name, keyID: verifier.id, bytes: signature)])
  }

  /// The signed checkpoint of a tree.
  package func checkpoint(size: UInt64, root: TreeHash) throws -> SignedNote {
    try sign(Checkpoint(origin: verifier.name, size: size, root: root).text)
  }
}

// MARK: The file

extension CheckpointSigner {
  /// The key of a directory.
  package static func read(of directory: DataDirectory) throws(CheckpointKeyError)
    -> CheckpointSigner
  {
    let path = "\(directory.path)/\(fileName)"
    guard FileManager.default.fileExists(atPath: path) else { throw .missing(path) }
    guard let text = try? String(contentsOfFile: path, encoding: .utf8),
      let signer = CheckpointSigner(fileText: text, mode: directory.mode)
    else { throw .unreadable(path) }
    return signer
  }

  /// The key of a directory that this process owns; made if there is none.
  package static func own(_ directory: DataDirectory) throws(CheckpointKeyError)
    -> CheckpointSigner
  {
    let path = "\(directory.path)/\(fileName)"
    if FileManager.default.fileExists(atPath: path) { return try read(of: directory) }
    let signer = CheckpointSigner(Curve25519.Signing.PrivateKey(), mode: directory.mode)
    guard DurableNames.write(Array(signer.fileText.utf8), to: path, mode: 0o600) == nil else {
      throw .unwritable(path)
    }
    return signer
  }

  private var fileText: String {
    let id = verifier.id.lowercaseHexadecimal
    let secret = ([1] + Array(key.rawRepresentation)).base64
    return "\(Self.prefix)\(verifier.name)+\(id)+\(secret)\n"
  }

  private init?(fileText text: String, mode: LogMode) {
    guard text.hasPrefix(Self.prefix), text.hasSuffix("\n") else { return nil }
    let parts = text.dropFirst(Self.prefix.count).dropLast()
      .split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, let secret = [UInt8](base64: String(parts[2])), secret.count == 33,
      secret[0] == 1, let signer = CheckpointSigner(seed: Array(secret[1...]), mode: mode),
      signer.fileText == text
    else { return nil }
    self = signer
  }
}
