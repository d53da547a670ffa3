import Crypto
import Foundation
import SwiftASN1
import TollbookTestSupport
import Testing
import X509

@testable import tollbook

/// The certificate that Tollbook makes for itself, without a process.
@Suite struct CertificateTests {
  private static let now = Date(timeIntervalSince1970: 1_800_000_000)

  private func names(_ texts: [String]) throws -> [ServerName] {
    try texts.map { try #require(ServerName($0)) }
  }

  private func made(
    for texts: [String] = ["api.keepa.com", "localhost", "127.0.0.1"], at now: Date = Self.now
  ) throws -> MadeCertificate {
    try MadeCertificate(for: try names(texts), at: now)
  }

  @Test func `the certificate is for the names and for nothing else`() throws {
    let made = try made()
    let found = try #require(try made.server.extensions.subjectAlternativeNames)
    #expect(
      Array(found) == [
        .dnsName("api.keepa.com"), .dnsName("localhost"),
        .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])),
      ])
    #expect(try made.server.extensions.basicConstraints == .notCertificateAuthority)
    #expect(try made.server.extensions.keyUsage == KeyUsage(digitalSignature: true))
    #expect(try made.server.extensions.extendedKeyUsage == ExtendedKeyUsage([.serverAuth]))
    #expect(made.server.publicKey == Certificate.PublicKey(made.key.publicKey))
    #expect(made.authority.publicKey.isValidSignature(made.server.signature, for: made.server))
    #expect(made.server.publicKey != made.authority.publicKey)
  }

  @Test func `the authority can vouch for those names alone, and for no other authority`() throws {
    let made = try made()
    #expect(
      try made.authority.extensions.basicConstraints == .isCertificateAuthority(maxPathLength: 0))
    #expect(try made.authority.extensions.keyUsage == KeyUsage(keyCertSign: true))
    let constraints = try #require(try made.authority.extensions.nameConstraints)
    #expect(Array(constraints.permittedDNSDomains) == ["api.keepa.com", "localhost"])
    #expect(
      Array(constraints.permittedIPRanges) == [
        ASN1OctetString(contentBytes: [127, 0, 0, 1, 255, 255, 255, 255])
      ])
    for oid in [
      ASN1ObjectIdentifier.X509ExtensionID.nameConstraints, .X509ExtensionID.basicConstraints,
      .X509ExtensionID.keyUsage,
    ] {
      #expect(made.authority.extensions[oid: oid]?.critical == true, "\(oid)")
    }
  }

  @Test func `a kind of name of which none is given is forbidden`() throws {
    let hosts = try #require(try made(for: ["api.keepa.com"]).authority.extensions.nameConstraints)
    #expect(hosts.excludedIPRanges.map(\.bytes.count) == [8, 32])
    #expect(hosts.excludedDNSDomains.isEmpty)
    let addresses = try #require(try made(for: ["::1"]).authority.extensions.nameConstraints)
    #expect(Array(addresses.excludedDNSDomains) == [""])
    #expect(addresses.excludedIPRanges.isEmpty)
    #expect(addresses.permittedIPRanges.first?.bytes.count == 32)
  }

  @Test func `both are valid at once and for 397 days at most`() throws {
    let made = try made()
    for certificate in [made.server, made.authority] {
      #expect(certificate.notValidBefore < Self.now)
      #expect(certificate.notValidAfter > Self.now.addingTimeInterval(396 * 86_400))
      #expect(
        certificate.notValidAfter.timeIntervalSince(certificate.notValidBefore) <= 397 * 86_400)
    }
  }

  @Test(arguments: [
    ("API.Keepa.com", "api.keepa.com"), ("localhost", "localhost"), ("127.0.0.1", "127.0.0.1"),
    ("::1", "::1"), ("x-1.example", "x-1.example"),
  ])
  func `a name is a host or an address`(_ text: String, _ name: String) {
    #expect(ServerName(text)?.description == name)
  }

  @Test(arguments: [
    "", "*.keepa.com", "api.keepa.com:443", "a..b", "-a", "a-", "1.2.3", "127.0.0.256", "a b",
    "a_b", "[::1]", "api.keepa.com.", "ä.example", String(repeating: "a", count: 64),
  ])
  func `what is no name is refused`(_ text: String) { #expect(ServerName(text) == nil) }

  @Test func `what is written is read back, and nobody else may read the key`() throws {
    let folder = try TemporaryFolder()
    let files = CertificateFiles(folder: "\(folder.path)/tls")
    let made = try made()
    try files.write(made)
    let loaded = try files.load(at: Self.now)
    #expect(loaded.end == made.server.notValidAfter)
    #expect(files.names == (try names(["api.keepa.com", "localhost", "127.0.0.1"])))
    #expect(
      try folder.contents().keys.sorted() == [
        "tls 755", "tls/ca.pem 644", "tls/server.key 600", "tls/server.pem 644",
      ])
    let text = try String(contentsOfFile: files.chain, encoding: .utf8)
    let chain = try PEMDocument.parseMultiple(pemString: text)
    #expect(
      try chain.map { try Certificate(pemDocument: $0) } == [made.server, made.authority])
  }

  @Test func `a certificate is refused from its end on, and warned of a month before`() throws {
    let folder = try TemporaryFolder()
    let files = CertificateFiles(folder: folder.path)
    try files.write(try made())
    let end = try files.load(at: Self.now).end
    let month: TimeInterval = 30 * 86_400
    for (before, isWarned) in [(month + 1, false), (month - 1, true), (1, true)] {
      let then = end.addingTimeInterval(-before)
      let warning = try files.load(at: then).warning(at: then, in: files)
      #expect((warning != nil) == isWarned, "\(before)")
      if isWarned { #expect(warning?.contains("ends on 2028-02-1") == true, "\(warning ?? "")") }
    }
    let refusal = #expect(throws: Refused.self) { try files.load(at: end) }
    #expect(
      refusal?.description
        == "the certificate \(files.chain) ended on \(MadeCertificate.day(end)); make a new one"
        + " with `tollbook tls init --renew`.")
  }

  @Test func `a file that is missing, unreadable or not the other's is named`() throws {
    let folder = try TemporaryFolder()
    let files = CertificateFiles(folder: folder.path)
    func refusal() -> String {
      do {
        _ = try files.load(at: Self.now)
        return ""
      } catch { return "\(error)" }
    }
    #expect(refusal() == "\(files.chain) is missing; `tollbook tls init` makes it.")
    try files.write(try made())
    let key = try String(contentsOfFile: files.key, encoding: .utf8)
    try files.write(try made())
    #expect(refusal() == "")
    try key.write(toFile: files.key, atomically: false, encoding: .utf8)
    #expect(refusal() == "\(files.key) is not the key of \(files.chain).")
    try "no key".write(toFile: files.key, atomically: false, encoding: .utf8)
    #expect(refusal().hasPrefix("\(files.key) holds no private key"))
    try FileManager.default.removeItem(atPath: files.key)
    #expect(refusal() == "\(files.key) is missing; `tollbook tls init` makes it.")
    try "no certificate".write(toFile: files.chain, atomically: false, encoding: .utf8)
    try key.write(toFile: files.key, atomically: false, encoding: .utf8)
    #expect(refusal() == "\(files.chain) holds no certificate.")
  }
}

/// Whether Tollbook's own calls would come back to it.
@Suite struct OwnAddressTests {
  @Test(arguments: [
    (["127.0.0.1"], 443, true), (["127.0.0.1"], 8_443, true), (["127.0.0.1"], 8_000, true),
    (["::1"], 443, true), (["203.0.113.1", "127.0.0.5"], 443, true), (["192.0.2.7"], 443, true),
    (["192.0.2.7"], 9_000, false), (["127.0.0.1"], 9_000, false), (["203.0.113.1"], 443, false),
    ([], 443, false),
  ])
  func `an address is our own if we listen there, or where clients come`(
    _ addresses: [String], _ port: Int, _ isOwn: Bool
  ) {
    let own = OwnAddress(addresses: ["192.0.2.7"], ports: [8_000, 8_443])
    #expect((own.loop(addresses, port: port) != nil) == isOwn)
  }
}
