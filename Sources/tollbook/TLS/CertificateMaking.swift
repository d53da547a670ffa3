import Crypto
import Files
import Foundation
import NIOCore
import SwiftASN1
import TollbookEvents
import X509

/// A certificate for Tollbook's own names, with its key and the authority that clients are told to trust.
///
/// The authority signs this one certificate: its key is not kept, so that nobody can ever sign another with it. It may
/// sign for those names alone (RFC 5280, section 4.2.1.10), should its key have been copied all the same. Renewing makes
/// a new authority.
struct MadeCertificate: Sendable {
  /// Days from the beginning to the end: browsers and Apple's clients believe no certificate of more than 398.
  static let days = 397
  /// A client whose clock is slow shall believe it at once: it begins so many seconds ago.
  private static let head: TimeInterval = 3_600

  let names: [ServerName]
  let authority: Certificate
  let server: Certificate
  let key: P256.Signing.PrivateKey
  /// When both end.
  let end: Date

  /// - Parameters:
  ///   - names: host names and addresses that it is for; at least one.
  ///   - now: from when on.
  init(for names: [ServerName], at now: Date) throws {
    self.names = names
    let begin = now.addingTimeInterval(-Self.head)
    end = begin.addingTimeInterval(TimeInterval(Self.days) * 86_400)
    let authorityKey = Certificate.PrivateKey(P256.Signing.PrivateKey())
    let issuer = try DistinguishedName {
      OrganizationName("Tollbook")
      CommonName("Tollbook's own certificates, made \(Self.day(now))")
    }
    let identifier = SubjectKeyIdentifier(hash: authorityKey.publicKey)
    authority = try Certificate(
      version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: authorityKey.publicKey,
      notValidBefore: begin, notValidAfter: end, issuer: issuer, subject: issuer,
      signatureAlgorithm: .ecdsaWithSHA256,
      extensions: try Certificate.Extensions {
        Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
        Critical(KeyUsage(keyCertSign: true))
        Critical(NameConstraints(permitting: names))
        identifier
      }, issuerPrivateKey: authorityKey)
    key = P256.Signing.PrivateKey()
    let publicKey = Certificate.PublicKey(key.publicKey)
    server = try Certificate(
      version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: publicKey,
      notValidBefore: begin, notValidAfter: end, issuer: issuer,
      // Without a common name: some clients would hold it against the names that the authority may sign for.
      subject: try DistinguishedName { OrganizationName("Tollbook") },
      signatureAlgorithm: .ecdsaWithSHA256,
      extensions: try Certificate.Extensions {
        Critical(BasicConstraints.notCertificateAuthority)
        Critical(KeyUsage(digitalSignature: true))
        try ExtendedKeyUsage([.serverAuth])
        SubjectAlternativeNames(names.map(\.generalName))
        SubjectKeyIdentifier(hash: publicKey)
        AuthorityKeyIdentifier(keyIdentifier: identifier.keyIdentifier)
      }, issuerPrivateKey: authorityKey)
  }

  /// A day of UTC, such as `2027-12-29`.
  static func day(_ date: Date) -> String {
    date.formatted(.iso8601.year().month().day())
  }
}

/// A name that a certificate is for.
enum ServerName: Hashable, Sendable, CustomStringConvertible {
  case host(String)
  /// Its four or sixteen bytes, and as it was written.
  case address([UInt8], String)

  /// Nil: the text is neither a name of a host nor an address. A name goes out in lower case; no port, no wildcard.
  init?(_ text: String) {
    if let bytes = SystemCalls.bytes(ofAddress: text) {
      self = .address(bytes, text)
      return
    }
    let name = text.lowercased()
    let labels = name.split(separator: ".", omittingEmptySubsequences: false)
    let isName = labels.allSatisfy { label in
      (1...63).contains(label.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
        && label.utf8.allSatisfy { byte in
          (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
        }
    }
    // What ends with a number would be read as an address that it is not.
    guard isName, name.utf8.count <= 253, labels.last.flatMap({ Int($0) }) == nil else {
      return nil
    }
    self = .host(name)
  }

  var description: String {
    switch self {
    case .host(let name): name
    case .address(_, let text): text
    }
  }

  /// Nil: a name of another kind.
  init?(_ name: GeneralName) {
    switch name {
    case .dnsName(let name): self.init(name)
    case .ipAddress(let address):
      let bytes = Array(address.bytes)
      guard let text = SocketAddress.text(ofBytes: bytes) else { return nil }
      self = .address(bytes, text)
    default: return nil
    }
  }

  fileprivate var generalName: GeneralName {
    switch self {
    case .host(let name): .dnsName(name)
    case .address(let bytes, _): .ipAddress(ASN1OctetString(contentBytes: bytes[...]))
    }
  }
}

extension NameConstraints {
  /// Only those: a kind of name of which there is none is forbidden, since what is not spoken of is permitted.
  fileprivate init(permitting names: [ServerName]) {
    var hosts: [String] = []
    var ranges: [ASN1OctetString] = []
    for name in names {
      switch name {
      case .host(let name): hosts.append(name)
      case .address(let bytes, _):
        // With a mask of ones: the address alone.
        let mask = [UInt8](repeating: 0xFF, count: bytes.count)
        ranges.append(ASN1OctetString(contentBytes: (bytes + mask)[...]))
      }
    }
    let everywhere = [8, 32].map { count in
      ASN1OctetString(contentBytes: [UInt8](repeating: 0, count: count)[...])
    }
    self.init(
      permittedDNSDomains: hosts, excludedDNSDomains: hosts.isEmpty ? [""] : [],
      permittedIPRanges: ranges, excludedIPRanges: ranges.isEmpty ? everywhere : [])
  }
}

extension SocketAddress {
  /// How an address is written whose bytes are known.
  fileprivate static func text(ofBytes bytes: [UInt8]) -> String? {
    let address = try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: 0)
    return address?.ipAddress
  }
}

extension Date {
  init(_ timestamp: Timestamp) {
    self.init(timeIntervalSince1970: TimeInterval(timestamp.milliseconds) / 1_000)
  }
}
