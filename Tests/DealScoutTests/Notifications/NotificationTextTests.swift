import DealScout
import JSONText
import Testing
import TollbookEvents

/// What is said, and in which form.
@Suite struct NotificationTextTests {
  private typealias Samples = NotificationSamples

  private func notice(_ fact: NotificationFact) -> NotificationNotice {
    NotificationNotice(channel: "hook", rule: "r", timing: .atOnce, fact: fact)
  }

  private func single(_ fact: NotificationFact) -> NotificationDigest {
    NotificationDigest([notice(fact)])
  }

  @Test func `facts are told in sentences`() throws {
    #expect(
      try Samples.deal().sentence
        == "new deal: Widget 3000 for 37.00 USD in all, where 46.00 USD would be fair; score 70")
    #expect(
      try Samples.drop(from: 46, to: 37).sentence
        == "Widget 3000 fell from 46.00 USD to 37.00 USD, by 19 %")
    let ended = try NotificationFact.watchEnded(
      "i", of: "acme", title: "Widget", url: nil, at: Samples.now)
    #expect(ended.sentence == "Widget, which you watch, has ended")
  }

  @Test func `a title brings no controls, no lines and no megabytes`() throws {
    let title =
      "Wid\u{1B}[31mget\r\nBcc: x@y.example\u{202E}" + String(repeating: "ä", count: 9_000)
    let sentence = try Samples.deal(title: title).sentence
    #expect(sentence.unicodeScalars.count <= 501)
    let steering = sentence.unicodeScalars.filter(\.steersTerminal)
    #expect(steering.isEmpty)
    #expect(sentence.hasPrefix("new deal: Wid [31mget Bcc: x@y.example ä"))
  }

  @Test(arguments: [
    "http://a.example/", "javascript:alert(1)", "https://a.example/ b", "https://a.example/\n",
    "https://a.example/<x>", "https://a.example/|x", "https://ä.example/", "",
  ])
  func `an address that is none of the web is left out`(url: String) throws {
    #expect(try Samples.deal(url: url).link == nil)
  }

  @Test func `to Slack nothing of a title is a link or a mention`() throws {
    let digest = single(try Samples.deal(title: "<!channel> A & B <\u{301}https://x|y>"))
    let text = try JSONDocument(digest.slackBody, maximumDepth: 4, maximumValues: 10).root["text"]?
      .string
    #expect(
      text
        == "Tollbook: new deal: &lt;!channel&gt; A &amp; B &lt;\u{301}https://x|y&gt; for 37.00 USD"
        + " in all, where 46.00 USD would be fair; score 70 (seen \(Samples.now))"
        + " https://market.example/itm/110")
  }

  @Test func `a signed body says what came to pass, with its figures`() throws {
    let digest = single(try Samples.deal())
    let body = """
      {"event":"deal.new","account":"acme","text":"Tollbook: new deal: Widget 3000 for 37.00 USD \
      in all, where 46.00 USD would be fair; score 70","notices":[{"event":"deal.new",\
      "rule":"r","subject":"v1|110|0",\
      "at":"\(Samples.now)","text":"new deal: Widget 3000 for 37.00 USD in all, where 46.00 USD \
      would be fair; score 70","url":"https://market.example/itm/110","score":70,\
      "total":{"amount":"37.00","currency":"USD"},"fair":{"amount":"46.00","currency":"USD"}}],\
      "untold":0}
      """
    #expect(String(decoding: digest.signedBody, as: UTF8.self) == body)
  }

  @Test func `of many notices fifty are told, and the number of the others`() throws {
    let notices = try (0..<60).map { notice(try Samples.deal("i\($0)")) }
    let digest = NotificationDigest(notices)
    #expect(digest.notices.count == 50)
    #expect(digest.heading == "60 notices")
    #expect(digest.lines.count == 51)
    #expect(digest.lines.last == "and 10 more")
    let root = try JSONDocument(digest.signedBody).root
    #expect(root["event"]?.string == "digest")
    #expect(root["untold"]?.int == 10)
    #expect(NotificationDigest(Array(notices.prefix(50))).lines.count == 50)
  }

  @Test func `a listing that is forgotten leaves its id and its figures`() throws {
    let fact = try Samples.deal(title: "Widget 3000").withoutListing
    #expect(fact.sentence.hasPrefix("new deal: v1|110|0 for 37.00 USD"))
    #expect(fact.link == nil)
    #expect(fact.key == (try Samples.deal().key))
    let alert = try NotificationFact.alert(
      "meter.low", of: "acme", number: 7, sentence: "low", at: Samples.now)
    #expect(alert.withoutListing == alert)
  }
}
