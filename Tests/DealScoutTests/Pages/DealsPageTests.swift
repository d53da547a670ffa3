import Testing
import TollbookEvents
import TollbookHTTP
import TollbookTestSupport

@testable import DealScout

@Suite struct DealsPageTests {
  private static let now = Timestamp.testStart

  private static func ago(_ seconds: Int64) -> Timestamp {
    now.advanced(byMilliseconds: -seconds * 1_000)
  }

  private static func deal(_ change: (inout DealsPage.Deal) -> Void = { _ in }) -> DealsPage.Deal {
    var deal = DealsPage.Deal(
      itemID: "v1|110000000001|0", title: "Camera", price: 31_900, shipping: .known(1_250),
      currency: .dollar, seenAt: ago(190))
    deal.score = DealsPage.Deal.Score(
      points: 84, confidence: .high, fairPrice: 51_200, discount: 35, comparables: 23,
      reasons: ["The median of 23 comparables is USD 512.00."])
    change(&deal)
    return deal
  }

  private static func page(
    _ deals: [DealsPage.Deal] = [], _ change: (inout DealsPage.Content) -> Void = { _ in }
  ) -> String {
    var content = DealsPage.Content(now: now, token: FormToken("1.ab"))
    content.deals = deals
    change(&content)
    return DealsPage.html(content).markup.replacing("\u{A0}", with: " ")
  }

  // MARK: Deals

  @Test func `a deal says what it costs, what it is worth, and why`() {
    let page = Self.page([
      Self.deal {
        $0.endsAt = Self.now.advanced(byMilliseconds: 7_400_000)
        $0.link = "https://www.example.com/itm/1?a=1&b=2"
        $0.image = "https://pictures.example.com/1.jpg"
        $0.condition = "Used"
        $0.flags = [.init("Suspiciously cheap"), .init("Auction", isWarning: false)]
      }
    ])
    for text in [
      "<p class=\"price\">USD 331.50</p>", "USD 319.00 and USD 12.50 shipping",
      "<strong>35% below</strong> a fair price of USD 512.00", ">84<",
      "High confidence, 23 comparables", "<summary>Why this score</summary>",
      "The median of 23 comparables is USD 512.00.",
      "<time datetime=\"2026-11-21T07:56:50.000Z\">3 minutes ago</time>", ", ends <time",
      ">in 2 hours</time>", "<a href=\"https://www.example.com/itm/1?a=1&amp;b=2\" rel=\"noopener",
      "src=\"https://pictures.example.com/1.jpg\" alt=\"\"",
      "<li class=\"badge warn\">Suspiciously cheap</li>", "<li class=\"badge good\">Auction</li>",
      "<li class=\"badge good\">Cache hit</li>", "<bdi>Used</bdi>",
    ] { #expect(page.contains(text), "\(text)") }
  }

  @Test(arguments: [
    (DealsPage.Deal.Shipping.free, "USD 319.00", "Free shipping"),
    (.unknown, "USD 319.00", "Shipping unknown, not counted"),
    (.known(0), "USD 319.00", "USD 319.00 and USD 0.00 shipping"),
  ])
  func `what shipping costs is told, and what is unknown is not zero`(
    _ shipping: DealsPage.Deal.Shipping, _ total: String, _ words: String
  ) {
    let page = Self.page([Self.deal { $0.shipping = shipping }])
    #expect(page.contains("<p class=\"price\">\(total)</p><p class=\"parts\">\(words)</p>"))
  }

  @Test func `a deal that is not scored says why`() {
    let page = Self.page([
      Self.deal {
        $0.score = nil
        $0.unscored = "4 comparables, 8 are needed"
        $0.isFromCache = false
        $0.currency = EbayCurrency("JPY") ?? .dollar
      }
    ])
    #expect(page.contains("Not scored: 4 comparables, 8 are needed"))
    #expect(!page.contains("Why this score"))
    #expect(page.contains("Cache miss: bought now"))
    #expect(page.contains("JPY 33150<"))
    #expect(page.contains("<span class=\"photo\">No photo</span>"))
    let off = Self.page { $0.unscored = "consent is not given." }
    #expect(off.contains("Nothing is scored here: consent is not given."))
  }

  @Test func `numbers beyond their ranges break nothing`() {
    let page = Self.page([
      Self.deal {
        $0.price = .max
        $0.shipping = .known(.max)
        $0.score?.points = .max
        $0.score?.discount = .min
        $0.score?.fairPrice = .min
        $0.score?.comparables = -1
        $0.seenAt = Timestamp(milliseconds: .min)
        $0.endsAt = Timestamp(milliseconds: .max)
      }
    ])
    #expect(page.contains(">100<"))
    #expect(page.contains("a fair price of USD 0.00"))
  }

  @Test(arguments: [
    "\"><script>alert(1)</script>", "' onload='x", "\u{202E}gpj.exe", "\u{0}\u{1B}[2J",
    "</article>",
  ])
  func `a listing's own words stay words`(_ text: String) {
    let page = Self.page([
      Self.deal {
        $0.title = text
        $0.condition = text
        $0.itemID = text
        $0.unscored = text
        $0.flags = [.init(text)]
        $0.score?.reasons = [text]
        $0.link = "javascript:\(text)"
        $0.image = "data:\(text)"
      }
    ]) {
      $0.filter.q = text
      $0.filter.sort = text
      $0.faults["q"] = text
    }
    #expect(!page.contains("<script"))
    #expect(!page.contains("' onload"))
    #expect(!page.contains("javascript:"))
    #expect(!page.contains("data:"))
    #expect(!page.contains { $0 == "\u{202E}" || $0 == "\u{0}" || $0 == "\u{1B}" })
    #expect(page.split(separator: "</article>").count == 2)
  }

  @Test func `a picture is shown from where the page's policy lets it`() {
    for address in ["http://pictures.example.com/1.jpg", "javascript:x", "//x.example/1.jpg"] {
      #expect(!Self.page([Self.deal { $0.image = address }]).contains("<img"))
    }
    let content = DealsPage.Content(now: Self.now, token: FormToken("1.ab"))
    #expect(DealsPage.page(content).showsPhotos)
  }

  @Test func `marks are forms with the token, and lead back to the same list`() {
    let page = Self.page([Self.deal { $0.marks = [.saved] }]) {
      $0.filter.q = "a&b"
      $0.filter.cursor = "c1"
    }
    #expect(page.split(separator: "<form method=\"post\" action=\"/deals/marks\">").count == 4)
    #expect(page.split(separator: "name=\"form_token\" value=\"1.ab\"").count == 4)
    #expect(page.contains("name=\"item\" value=\"v1|110000000001|0\""))
    #expect(page.contains("name=\"next\" value=\"/deals?q=a%26b&amp;cursor=c1\""))
    #expect(
      page.contains(
        "value=\"saved\"><input type=\"hidden\" name=\"set\" value=\"false\">"))
    #expect(
      page.contains("value=\"hidden\"><input type=\"hidden\" name=\"set\" value=\"true\">"))
    #expect(page.split(separator: "aria-pressed=\"true\"").count == 2)
    for field in DealsPage.markFields { #expect(page.contains("name=\"\(field)\"")) }
  }

  // MARK: Filters

  @Test func `the form keeps what was typed, and says what is wrong with it`() {
    let page = Self.page {
      $0.filter.q = "lens \"40mm\""
      $0.filter.maxPrice = "nine"
      $0.filter.condition = "used"
      $0.filter.sort = "newest"
      $0.filter.endsBefore = "2026-11-22T10:00:00Z"
      $0.faults["max_price"] = "Write it as 900 or 900.00."
    }
    for text in [
      "value=\"lens &quot;40mm&quot;\"", "value=\"nine\"",
      "<option value=\"used\" selected>Used</option>",
      "<option value=\"newest\" selected>Listed last</option>", "value=\"2026-11-22T10:00\"",
      "aria-describedby=\"max_price-fault\" aria-invalid=\"true\"",
      "<p class=\"fault\" id=\"max_price-fault\">Write it as 900 or 900.00.</p>",
      "<details open><summary>More filters (3 set)</summary>",
      "<form class=\"panel\" method=\"get\" action=\"/deals\"",
    ] { #expect(page.contains(text), "\(text)") }
    for name in DealsFilter.names where name != "cursor" {
      #expect(page.contains("<label for=\"\(name)\">"), "\(name)")
      #expect(page.contains("name=\"\(name)\""), "\(name)")
    }
    #expect(Self.page().contains("<details><summary>More filters</summary>"))
  }

  @Test func `the rest of the list keeps the filters`() {
    let page = Self.page([Self.deal()]) {
      $0.filter.q = "x"
      $0.filter.cursor = "old"
      $0.next = "n&1"
    }
    #expect(
      page.contains("<a class=\"button\" href=\"/deals?q=x&amp;cursor=n%261\">More deals</a>"))
    #expect(!Self.page([Self.deal()]).contains("More deals"))
  }

  @Test(arguments: [
    ("2026-11-21T08:00", "2026-11-21T08:00:00.000Z"),
    ("2026-11-21T08:00:30", "2026-11-21T08:00:30.000Z"),
    ("2026-11-21T08:00:30Z", "2026-11-21T08:00:30.000Z"), ("2026-11-21", nil), ("", nil),
    ("tomorrow", nil), ("2026-02-30T08:00", nil),
  ])
  func `an instant is read as a form writes it, in UTC`(_ text: String, _ expected: String?) {
    var filter = DealsFilter()
    filter.endsBefore = text
    #expect(filter.endsBeforeInstant?.description == expected)
  }

  // MARK: Nothing to show

  @Test func `an empty list says what to do`() {
    #expect(Self.page().contains("No search is saved yet"))
    #expect(Self.page().contains("POST /searches"))
    let unscanned = Self.page { $0.searches = 1 }
    #expect(unscanned.contains("Nothing was scanned yet"))
    #expect(unscanned.contains("You have one saved search."))
    let scanned = Self.page {
      $0.searches = 3
      $0.scanned = Self.ago(400)
    }
    #expect(scanned.contains("The last scan has found no deal"))
    #expect(scanned.contains(">6 minutes ago</time>"))
    #expect(scanned.contains("POST /scan/run"))
    let filtered = Self.page { $0.filter.q = "x" }
    #expect(filtered.contains("No deal goes with these filters"))
    #expect(Self.page { $0.filter.cursor = "x" }.contains("The list ends here"))
  }

  @Test func `whose content it is, and that it ages, stands below each list`() {
    for page in [Self.page(), Self.page([Self.deal()])] {
      #expect(page.contains("eBay&#39;s content"))
      #expect(page.contains("how long ago it was seen"))
    }
  }
}

@Suite struct PageWordsTests {
  @Test(
    arguments: [
      (0, "just now"), (9, "just now"), (10, "10 seconds ago"), (59, "59 seconds ago"),
      (60, "1 minute ago"), (3_599, "59 minutes ago"), (3_600, "1 hour ago"),
      (86_399, "23 hours ago"), (86_400, "1 day ago"), (900_000, "10 days ago"), (-5, "just now"),
    ] as [(Int64, String)])
  func `an age is told in the largest unit that is full`(_ seconds: Int64, _ words: String) {
    let now = Timestamp.testStart
    #expect(PageWords.age(of: now.advanced(byMilliseconds: -seconds * 1_000), at: now) == words)
  }

  @Test func `what is to come is told, and what is past has ended`() {
    let now = Timestamp.testStart
    #expect(PageWords.time(until: now.advanced(byMilliseconds: 60_000), at: now) == "in 1 minute")
    #expect(PageWords.time(until: now, at: now) == "ended")
    #expect(PageWords.instant(now) == "2026-11-21 08:00 UTC")
  }
}
