import ArgumentParser
import Foundation
import TollbookHTTP
import TollbookLog

/// `tollbook tls`
struct TLSCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tls",
    abstract: "Make the certificate under which Tollbook stands for api.keepa.com.",
    discussion: """
      With `serve --tls` clients of Keepa come here without a change in their code: a \
      line in their hosts file and the file ca.pem are all they need.
      """,
    subcommands: [TLSInitCommand.self])
}

/// `tollbook tls init`
struct TLSInitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Make a certificate, its key, and the authority that clients are to trust.",
    discussion: """
      Examples:
        tollbook tls init
        tollbook tls init --name api.keepa.com --name tollbook.lan

      The authority can vouch for those names alone, and its own key is thrown away \
      at once. All ends after \(MadeCertificate.days) days; `--renew` makes new ones, and the \
      clients need the new ca.pem.
      """)

  @OptionGroup var place: PlaceFlags

  @Option(
    help: ArgumentHelp(
      "Folder to put the files into; `tls` in the data folder, if none is named.",
      valueName: "folder"))
  var dir: String?

  @Option(
    name: .customLong("name"),
    help: ArgumentHelp(
      "A host name or an address that the certificate is for; may be given several times."
        + " Without any: api.keepa.com, localhost and 127.0.0.1.", valueName: "host"))
  var names: [String] = []

  @Flag(help: "Put new ones in place of those that are there, for the same names.")
  var renew = false

  func validate() throws {
    for name in names where ServerName(name) == nil {
      throw ValidationError(
        "“\(name)” is neither a host name nor an address; give it without port and wildcard.")
    }
  }

  func run() async throws {
    let settings = try await place.settings([.tlsDirectory: dir])
    let files = CertificateFiles(folder: settings.tlsDirectory)
    let existing = files.existing
    if !renew, let first = existing.first {
      throw Refused("\(first) is there already; --renew puts a new one in its place.")
    }
    if !settings.isTLSDirectoryNamed {
      // Nobody's folder gets a key by mistake.
      try settings.prepareDataDirectory()
    }
    let made = try MadeCertificate(for: try wanted(files), at: Date(TimeSource.system.now()))
    try files.write(made)
    Console.say(
      Self.text(files, made, port: settings.tlsPort, isRenewed: !existing.isEmpty))
  }

  /// The names that were given; else those of the certificate that is renewed, or the usual ones.
  private func wanted(_ files: CertificateFiles) throws -> [ServerName] {
    var wanted = names.compactMap { ServerName($0) }
    if wanted.isEmpty, renew { wanted = files.names }
    if wanted.isEmpty {
      let usual = Systems.http.flatMap { $0.dropIn?.hosts ?? [] } + ["localhost", "127.0.0.1"]
      wanted = usual.compactMap { ServerName($0) }
    }
    var seen: Set<String> = []
    return wanted.filter { seen.insert("\($0)").inserted }
  }

  /// What was made, and how a client comes here.
  private static func text(
    _ files: CertificateFiles, _ made: MadeCertificate, port: Int, isRenewed: Bool
  ) -> String {
    let folder = URL(fileURLWithPath: files.folder).standardizedFileURL.path
    let authority = "\(folder)/\(CertificateFiles.authorityName)"
    let hosts = made.names.filter { name in
      guard case .host = name else { return false }
      return "\(name)" != "localhost"
    }
    let entry =
      hosts.isEmpty ? "" : "  127.0.0.1 \(hosts.map(\.description).joined(separator: " "))"
    let renewed =
      isRenewed
      ? " Start Tollbook anew, and give the new ca.pem to every client." : ""
    return """
      Made \(files.chain), its key \(files.key), and \(files.authority).
      For \(made.names.map(\.description).joined(separator: ", ")), until \
      \(MadeCertificate.day(made.end)). The authority's own key is kept nowhere.\
      \(renewed)

      Start Tollbook with `serve --tls`. What leads a client on this machine to it:
      \(entry)     (a line of its /etc/hosts)
        REQUESTS_CA_BUNDLE=\(authority)     (Python's requests)
        SSL_CERT_FILE=\(authority)     (OpenSSL, Python's aiohttp and httpx, Go, Ruby)
        keytool -importcert -noprompt -alias tollbook -file \(authority) \\
          -keystore truststore.p12 -storepass changeit     (Java, then \
      -Djavax.net.ssl.trustStore=truststore.p12)
      The two variables replace the usual authorities: set them for that client alone.

      Clients come to port 443, and Tollbook listens on \(port). One of these brings them together:
        sudo iptables -t nat -A OUTPUT -p tcp -d 127.0.0.1 --dport 443 \
      -j REDIRECT --to-ports \(port)
        sudo setcap cap_net_bind_service=+ep …/tollbook     (then serve --tls --tls-port 443)
        authbind --deep tollbook serve --tls --tls-port 443
      Where Tollbook itself reads that hosts file, it needs KEEPA_CONNECT_TO: Keepa's own address,
      as `dig +short api.keepa.com` shows it.
      """
  }
}
