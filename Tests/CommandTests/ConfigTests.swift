import Foundation
import JSONText
import Testing
import TollbookTestSupport

@Suite struct ConfigTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ text: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder.path)/settings.json"))
  }

  private func sources(_ arguments: [String], _ environment: [String: String]) async throws
    -> [String: String]
  {
    let ended = try await Binary.run(
      ["config", "--format", "json"] + arguments, in: folder, environment: environment)
    #expect(ended.status == 0, "\(ended.errors)")
    var found: [String: String] = [:]
    for row in try JSONDocument(Array(ended.output.utf8)).root["settings"]?.array.map(Array.init)
      ?? []
    {
      let value = row["value"]?.string ?? "none"
      found[row["key"]?.string ?? ""] = "\(value) from \(row["source"]?.string ?? "")"
    }
    return found
  }

  @Test func `C13, E30: flag before environment before file before default`() async throws {
    try write(
      """
      {"tollbook": {"port": 1, "host": "localhost", "cache": false, "overdraft": "allow"}}
      """)

    let found = try await sources(
      ["--port", "3"],
      ["TOLLBOOK_CONFIG": "settings.json", "TOLLBOOK_PORT": "2", "TOLLBOOK_OVERDRAFT": "never"])

    #expect(found["tollbook.port"] == "3 from --port")
    #expect(found["tollbook.overdraft"] == "never from TOLLBOOK_OVERDRAFT")
    #expect(found["tollbook.host"] == "localhost from settings.json")
    #expect(found["tollbook.cache"] == "off from settings.json")
    #expect(found["tollbook.product_fresh"] == "7d from default")
    #expect(found["tollbook.data_dir"] == "./tollbook-data from default")
  }

  @Test func `simulated data has a folder of its own, and an empty variable is none`() async throws
  {
    let found = try await sources(["--simulate"], ["TOLLBOOK_PORT": "", "KEEPA_API_KEY": ""])

    #expect(found["tollbook.data_dir"] == "./tollbook-simulated from default")
    #expect(found["tollbook.port"] == "8000 from default")
  }

  @Test(arguments: ["table", "json"])
  func `secrets are never shown`(format: String) async throws {
    try write(#"{"tollbook": {"access_key": "hush-from-file"}}"#)

    let ended = try await Binary.run(
      ["config", "--format", format, "--config", "settings.json"], in: folder,
      environment: ["KEEPA_API_KEY": "hush-from-environment"])

    #expect(ended.status == 0)
    #expect(!(ended.output + ended.errors).contains("hush"))
    #expect(ended.output.contains("KEEPA_API_KEY"))
  }

  @Test(arguments: [
    (["TOLLBOOK_PORT": "80x0"], ["TOLLBOOK_PORT", "80x0", "whole number from 0 to 65535"]),
    (["TOLLBOOK_FOO": "1"], ["TOLLBOOK_FOO is no setting of Tollbook; `tollbook config` lists"]),
    (["TOLLBOOK_PROT": "8000"], ["TOLLBOOK_PROT", "did you mean TOLLBOOK_PORT?"]),
    (["TOLLBOOK_PRODUCT_FRESH": "7"], ["TOLLBOOK_PRODUCT_FRESH", "7d, 12h, 30m or 90s"]),
    (["TOLLBOOK_OVERDRAFT": "maybe"], ["TOLLBOOK_OVERDRAFT", "never or allow"]),
    (["TOLLBOOK_CACHE": "perhaps"], ["TOLLBOOK_CACHE", "on or off"]),
    (["TOLLBOOK_MAP_SIZE": "12"], ["TOLLBOOK_MAP_SIZE", "128MiB"]),
    (["KEEPA_BASE_URL": "keepa"], ["KEEPA_BASE_URL", "http://"]),
    (["KEEPA_BASE_URL": ""], ["KEEPA_BASE_URL is empty"]),
    (["KEEPA_BASE_URL": "http://127.0.0.1:65536"], ["KEEPA_BASE_URL", ":65536", "1 to 65535"]),
    (["KEEPA_BASE_URL": "http://[::1"], ["KEEPA_BASE_URL", "http://[::1"]),
    (["TOLLBOOK_ALLOWED_HOSTS": "a,http://b"], ["TOLLBOOK_ALLOWED_HOSTS", "names of hosts"]),
    (["TOLLBOOK_HOST": "127.evil.example"], ["127.evil.example", "TOLLBOOK_ACCESS_KEY"]),
    (["TOLLBOOK_ACCESS_KEY": ""], ["TOLLBOOK_ACCESS_KEY is empty"]),
    (["TOLLBOOK_HOST": "0.0.0.0"], ["0.0.0.0", "TOLLBOOK_ACCESS_KEY"]),
    (["TOLLBOOK_PRODUCT_KEEP": "1d"], ["TOLLBOOK_PRODUCT_KEEP", "TOLLBOOK_PRODUCT_FRESH"]),
    (["TOLLBOOK_SCORING_BUY_RATIO": "1.5"], ["TOLLBOOK_SCORING_BUY_RATIO", "1.5", "0 to 1"]),
    (["TOLLBOOK_SCORING_FEES": "nowhere.json"], ["nowhere.json", "TOLLBOOK_SCORING_FEES"]),
    (
      ["TOLLBOOK_EXTRACT_RETENTION_DAYS": "0"],
      ["TOLLBOOK_EXTRACT_RETENTION_DAYS", "whole number from 1 to 3650"]
    ),
    (
      ["TOLLBOOK_EXTRACT_SECOND_LOOK": "twice"],
      ["TOLLBOOK_EXTRACT_SECOND_LOOK", "twice", "neither off nor repeat", "gemini-3.5-flash"]
    ),
    (["TOLLBOOK_CORS_ORIGINS": "*"], ["TOLLBOOK_CORS_ORIGINS", "never *"]),
    (
      ["TOLLBOOK_CORS_ORIGINS": "https://app.example/page"],
      ["TOLLBOOK_CORS_ORIGINS", "https://app.example/page", "without a path"]
    ),
    (["TOLLBOOK_PHOTO_DAYS": "0"], ["TOLLBOOK_PHOTO_DAYS", "whole number from 1 to 3650"]),
    (["TOLLBOOK_EXTRACT_RETENTION_DAYS": "3651"], ["TOLLBOOK_EXTRACT_RETENTION_DAYS", "3650"]),
    (["TOLLBOOK_CONFIG": "nowhere.json"], ["nowhere.json", "cannot be read"]),
  ])
  func `E30: a wrong variable stops the start, names itself and what is expected`(
    environment: [String: String], words: [String]
  ) async throws {
    for command in [["config"], ["serve", "--port", "0"]] {
      let ended = try await Binary.run(
        environment["TOLLBOOK_PORT"] == nil ? command : [command[0]], in: folder,
        environment: environment)

      #expect(ended.status == 2)
      #expect(ended.output.isEmpty)
      for word in words { #expect(ended.errors.contains(word), "\(ended.errors)") }
    }
    #expect(try folder.contents().isEmpty)
  }

  @Test(arguments: [
    (#"{"tollbook": {"prot": 1}}"#, ["tollbook.prot", "did you mean tollbook.port?"]),
    (#"{"port": 1}"#, ["port in settings.json is no setting"]),
    (#"{"tollbook": {"port": "x"}}"#, ["tollbook.port in settings.json", "“x”"]),
    (#"{"tollbook": {"port": 1.5}}"#, ["tollbook.port", "whole number"]),
    (#"{"tollbook": {"cache": 5}}"#, ["tollbook.cache", "on or off"]),
    (#"{"tollbook": {"host": null}}"#, ["tollbook.host", "null"]),
    (#"{"tollbook": {"port": 1, "port": 2}}"#, ["tollbook.port stands twice"]),
    (#"{"keepa": {"api_key": 7}}"#, ["keepa.api_key"]),
    (#"{"tollbook": 7}"#, ["tollbook in settings.json"]), ("[]", ["must hold an object"]),
    ("{\n\"tollbook\":\n {,}}", ["settings.json is not JSON: line 3"]),
  ])
  func `E30: a wrong settings file stops the start and names the place`(
    text: String, words: [String]
  ) async throws {
    try write(text)

    let ended = try await Binary.run(["config", "--config", "settings.json"], in: folder)

    #expect(ended.status == 2)
    for word in words { #expect(ended.errors.contains(word), "\(ended.errors)") }
  }

  @Test(arguments: [
    ("{", "the text: "), ("{\"version\":1}", "marketplaces: this is missing"),
    ("{\"version\":1,\"marketplaces\":[{\"domain\":1,\"fee\":2}]}", "marketplaces[0]: “fee”"),
  ])
  func `a broken file of fees stops the start and names the file and the place`(
    text: String, place: String
  ) async throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder.path)/fees.json"))
    let before = try folder.contents()
    for command in [["config"], ["serve", "--port", "0"]] {
      let ended = try await Binary.run(
        command, in: folder, environment: ["TOLLBOOK_SCORING_FEES": "fees.json"])
      #expect(ended.status == 2)
      #expect(ended.errors.contains("the file of fees fees.json (TOLLBOOK_SCORING_FEES)"))
      #expect(ended.errors.contains(place), "\(ended.errors)")
    }
    #expect(try folder.contents() == before)
  }

  @Test(arguments: [
    (["TOLLBOOK_SENDMAIL": "sendmail"], "TOLLBOOK_SENDMAIL is “sendmail”"),
    (["TOLLBOOK_MAIL_FROM": "nobody"], "TOLLBOOK_MAIL_FROM: “nobody” is no e-mail address"),
  ])
  func `a way to send e-mail that cannot be stops the start and is named`(
    environment: [String: String], words: String
  ) async throws {
    for command in [["config"], ["serve", "--port", "0"]] {
      let ended = try await Binary.run(command, in: folder, environment: environment)
      #expect(ended.status == 2)
      #expect(ended.errors.contains(words), "\(ended.errors)")
    }
  }

  @Test func `a share in the settings file may be a number`() async throws {
    try write(#"{"tollbook": {"scoring_buy_ratio": 0.35}}"#)
    let found = try await sources(["--config", "settings.json"], [:])
    #expect(found["tollbook.scoring_buy_ratio"] == "0.35 from settings.json")
  }

  @Test(arguments: ["http://user:hush@127.0.0.1:9", "http://127.0.0.1:9?key=hush", "hush@[::1"])
  func `an address that is refused is shown without its secret`(_ base: String) async throws {
    try write("{\"keepa\": {\"base_url\": \"\(base)\"}}")
    for (arguments, environment) in [
      ([], ["KEEPA_BASE_URL": base]), (["--config", "settings.json"], [:]),
    ] {
      let ended = try await Binary.run(
        ["config"] + arguments, in: folder, environment: environment)
      #expect(ended.status == 2)
      #expect(ended.errors.contains(environment.isEmpty ? "keepa.base_url" : "KEEPA_BASE_URL"))
      #expect(!(ended.output + ended.errors).contains("hush"))
    }
  }

  @Test func `everything that is wrong is named at once`() async throws {
    let ended = try await Binary.run(
      ["serve", "--log-level", "loud"], in: folder,
      environment: ["TOLLBOOK_PORT": "x", "TOLLBOOK_NONSENSE": "1"])

    #expect(ended.status == 2)
    for word in ["--log-level is “loud”", "TOLLBOOK_PORT", "TOLLBOOK_NONSENSE"] {
      #expect(ended.errors.contains(word))
    }
  }
}
