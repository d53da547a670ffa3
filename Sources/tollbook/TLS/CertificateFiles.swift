import Crypto
import Files
import Foundation
import NIOSSL
import SwiftASN1
import TollbookLog
import X509

/// The folder in which Tollbook's certificate is: `ca.pem` for the clients, `server.pem` and `server.key` for itself.
struct CertificateFiles: Sendable {
  static let authorityName = "ca.pem"
  static let chainName = "server.pem"
  static let keyName = "server.key"
  /// From so many days before its end on, the start warns of it.
  static let warningDays = 30

  let folder: String

  var authority: String { "\(folder)/\(Self.authorityName)" }
  var chain: String { "\(folder)/\(Self.chainName)" }
  var key: String { "\(folder)/\(Self.keyName)" }

  /// Those of the files that are there.
  var existing: [String] {
    [authority, chain, key].filter { FileManager.default.fileExists(atPath: $0) }
  }

  // MARK: Writing

  /// Writes the three files, each whole or not at all. Makes the folder if it is missing.
  func write(_ made: MadeCertificate) throws {
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o755])
    let authorityText = try made.authority.serializeAsPEM().pemString + "\n"
    let serverText = try made.server.serializeAsPEM().pemString + "\n"
    try write(made.key.pemRepresentation + "\n", to: key, mode: 0o600)
    try write(serverText + authorityText, to: chain, mode: 0o644)
    try write(authorityText, to: authority, mode: 0o644)
  }

  private func write(_ text: String, to path: String, mode: UInt32) throws {
    if let problem = DurableNames.write(Array(text.utf8), to: path, mode: mode) {
      throw Refused("\(path) cannot be written: \(problem).")
    }
  }

  // MARK: Reading

  /// A certificate that can be shown, with its key.
  struct Loaded: Sendable {
    let configuration: TLSConfiguration
    let end: Date

    /// What the start has to say of its end; nil: it is far off.
    func warning(at now: Date, in files: CertificateFiles) -> String? {
      guard end.timeIntervalSince(now) < TimeInterval(CertificateFiles.warningDays) * 86_400 else {
        return nil
      }
      return "the certificate \(files.chain) ends on \(MadeCertificate.day(end)); make a new one"
        + " with `tollbook tls init --renew`, and give \(CertificateFiles.authorityName) to the"
        + " clients"
    }
  }

  /// Reads the certificate and its key.
  ///
  /// - Throws: `Refused`, naming the file that is missing, unreadable or past its end, or that does not fit the other.
  func load(at now: Date) throws -> Loaded {
    let certificates = try certificates(of: try text(of: chain))
    let keyText = try text(of: key)
    guard let server = certificates.first else {
      throw Refused("\(chain) holds no certificate.")
    }
    guard let privateKey = try? Certificate.PrivateKey(pemEncoded: keyText) else {
      throw Refused("\(key) holds no private key that can be read: it is PEM without a password.")
    }
    guard privateKey.publicKey == server.publicKey else {
      throw Refused("\(key) is not the key of \(chain).")
    }
    guard now < server.notValidAfter else {
      throw Refused(
        "the certificate \(chain) ended on \(MadeCertificate.day(server.notValidAfter)); make a new"
          + " one with `tollbook tls init --renew`.")
    }
    do {
      let shown = try certificates.map { certificate in
        NIOSSLCertificateSource.certificate(
          try NIOSSLCertificate(
            bytes: try certificate.serializeAsPEM().derBytes, format: .der))
      }
      let secret = try NIOSSLPrivateKey(bytes: Array(keyText.utf8), format: .pem)
      var configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: shown, privateKey: .privateKey(secret))
      configuration.applicationProtocols = ["http/1.1"]
      return Loaded(configuration: configuration, end: server.notValidAfter)
    } catch { throw Refused("\(chain) with \(key) cannot be used: \(error).") }
  }

  /// The names of the certificate that is there; none if it cannot be read.
  var names: [ServerName] {
    guard let text = try? text(of: chain), let server = try? certificates(of: text).first,
      let names = try? server.extensions.subjectAlternativeNames
    else { return [] }
    return names.compactMap { ServerName($0) }
  }

  private func text(of file: String) throws(Refused) -> String {
    guard FileManager.default.fileExists(atPath: file) else {
      throw Refused("\(file) is missing; `tollbook tls init` makes it.")
    }
    guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
      throw Refused("\(FileRight.denial(of: file, .read) ?? "\(file) cannot be read").")
    }
    return text
  }

  /// All certificates of a PEM file, in their order.
  private func certificates(of text: String) throws(Refused) -> [Certificate] {
    do {
      return try PEMDocument.parseMultiple(pemString: text).map {
        try Certificate(pemDocument: $0)
      }
    } catch { throw Refused("\(chain) holds something that is no certificate in PEM.") }
  }
}
