import DealScout
import JSONText
import Testing
import TollbookEvents

/// What is said, and in which form.
@Suite struct NotificationTextTests {
  private typealias Samples = NotificationSamples

  private func notice(
    _ fact: NotificationFact, timing: NotificationRule.Timing = .atOnce
  ) throws -> NotificationNotice {
    var facts = ToldFacts()
    let conditions: [NotificationRule.Condition] = [
      .newDeal(minimumScore: 0), .priceDrop(minimumPercent: 1), .watchEnded,
    ]
    let rules = try conditions.map { try Samples.rule("r", $0, timing: timing) }
    return try #require(
      NotificationRules.notices(of: fact, by: rules, told: &facts, now: Samples.now).first)
  }

  private func single(_ fact: NotificationFact) throws -> NotificationDigest {
    NotificationDigest(notices: [try notice(fact)], untold: 0)
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
    let digest = try single(try Samples.deal(title: "<!channel> A & B <\u{301}https://x|y>"))
    let text = try JSONDocument(digest.slackBody, maximumDepth: 4, maximumValues: 10).root["text"]?
      .string
    #expect(
      text
        == "Tollbook: new deal: &lt;!channel&gt; A &amp; B &lt;\u{301}https://x|y&gt; for 37.00 USD"
        + " in all, where 46.00 USD would be fair; score 70 https://market.example/itm/110")
  }

  @Test func `a signed body says what came to pass, with its figures`() throws {
    let digest = try single(try Samples.deal())
    let body = """
      {"event":"deal.new","account":"acme","text":"Tollbook: new deal: Widget 3000 for 37.00 USD \
      in all, where 46.00 USD would be fair; score 70","notices":[{"event":"deal.new",\
      "fact":"deal.new 8:v1|110|0 ","rule":"r","subject":"v1|110|0",\
      "at":"\(Samples.now)","text":"new deal: Widget 3000 for 37.00 USD in all, where 46.00 USD \
      would be fair; score 70","url":"https://market.example/itm/110","score":70,\
      "total":{"value":"37.00","currency":"USD"},"fair":{"value":"46.00","currency":"USD"}}],\
      "untold":0}
      """
    #expect(String(decoding: digest.signedBody, as: UTF8.self) == body)
  }

  @Test func `hourly notices wait for the full hour, and then come in one`() throws {
    var digests = NotificationDigests()
    let start = Samples.now.advanced(byMilliseconds: 60_000)
    let atOnce = digests.add(try notice(try Samples.deal()), now: start)
    #expect(atOnce?.notices.count == 1)
    for number in 0..<60 {
      let hourly = try notice(try Samples.deal("i\(number)"), timing: .hourly)
      #expect(digests.add(hourly, now: start) == nil)
    }
    #expect(digests.due(at: start.advanced(byMilliseconds: 3_539_999)).isEmpty)
    let due = digests.due(at: start.advanced(byMilliseconds: 3_540_000))
    #expect(due.count == 1)
    #expect(due.first?.notices.count == 50)
    #expect(due.first?.heading == "60 notices")
    #expect(due.first?.lines.last == "and 10 more")
    #expect(digests.isEmpty)
    #expect(digests.due(at: start.advanced(byMilliseconds: 9_000_000)).isEmpty)
  }

  @Test func `a clock that is set back a day holds no digest back`() throws {
    var digests = NotificationDigests()
    _ = digests.add(try notice(try Samples.deal(), timing: .hourly), now: Samples.now)
    let soon = digests.due(at: Samples.now.advanced(byMilliseconds: -60_000))
    #expect(soon.isEmpty)
    let dayBefore = digests.due(at: Samples.now.advanced(byMilliseconds: -86_400_000))
    #expect(dayBefore.count == 1)
  }
}
