import Testing
import TollbookEvents
import TollbookHTTP
import TollbookTestSupport

@testable import DealScout

@Suite struct SnapPageTests {
  private static func snap(_ change: (inout SnapPage.Snap) -> Void = { _ in }) -> SnapPage.Snap {
    var snap = SnapPage.Snap(
      id: "7", added: Timestamp.testStart.advanced(byMilliseconds: -3_000_000), state: .done,
      photoCount: 2)
    snap.product = "Fujita X-30"
    snap.condition = "Used"
    snap.defects = ["scratch", "loose door"]
    snap.title = "Fujita X-30 camera"
    snap.form = .init(
      title: "Fujita X-30 camera", condition: "used", price: "419.00", description: "scratch")
    snap.price = .suggested(
      41_900, low: 38_000, high: 46_500, currency: .dollar, confidence: "medium",
      basis: ["3 sales of yours"])
    change(&snap)
    return snap
  }

  private static func page(
    _ snaps: [SnapPage.Snap] = [], _ change: (inout SnapPage.Content) -> Void = { _ in }
  ) -> String {
    var content = SnapPage.Content(now: .testStart, token: FormToken("1.ab"))
    content.snaps = snaps
    change(&content)
    return SnapPage.html(content).markup.replacing("\u{A0}", with: " ")
  }

  @Test func `photos are sent with the token before them`() throws {
    let page = Self.page {
      $0.marketplace = .germany
      $0.note = "bought in 2019"
    }
    for text in [
      "method=\"post\" enctype=\"multipart/form-data\" action=\"/snap\"",
      "type=\"file\" multiple required accept=\"image/jpeg,image/png,image/webp\"",
      "Up to 12 photos of up to 20 MB each: JPEG, PNG, WEBP.",
      "<option value=\"EBAY_DE\" selected>eBay Germany</option>",
      "name=\"note\" type=\"text\" value=\"bought in 2019\"",
      "Nothing was sent in yet",
    ] { #expect(page.contains(text), "\(text)") }
    let token = try #require(page.firstRange(of: "name=\"form_token\" value=\"1.ab\""))
    let photos = try #require(page.firstRange(of: "name=\"\(SnapPage.photosField)\""))
    #expect(token.lowerBound < photos.lowerBound)
  }

  @Test func `an upload that was not taken says why`() {
    let page = Self.page { $0.fault = "“a.jpg” is a PDF" }
    #expect(
      page.contains("<p class=\"fault\" id=\"photos-fault\" role=\"alert\">“a.jpg” is a PDF</p>"))
    #expect(page.contains("aria-describedby=\"photos-fault photos-hint\" aria-invalid=\"true\""))
  }

  @Test func `what was read is shown, with a price and what it rests on`() {
    let page = Self.page([
      Self.snap { $0.photos = ["/snap/7/photos/1", "/snap/7/photos/2"] }
    ])
    for text in [
      "<h2 id=\"snap-0\"><bdi>Fujita X-30 camera</bdi></h2>", "<li class=\"badge good\">Read</li>",
      "<bdi>scratch; loose door</bdi>", "<p class=\"price\">USD 419.00</p>",
      "With shipping; likely USD 380.00 to USD 465.00, medium confidence",
      "<summary>What this rests on</summary><ul><li><bdi>3 sales of yours</bdi></li></ul>",
      "2 photos sent in <time", ">50 minutes ago</time>",
      "src=\"/snap/7/photos/2\" alt=\"Photo 2\"",
    ] { #expect(page.contains(text), "\(text)") }
    #expect(!page.contains("Photos are being read"))
  }

  @Test func `a draft is a form that names the snap and says what was found`() {
    let page = Self.page([Self.snap()])
    for text in [
      "<form class=\"draft\" method=\"post\" action=\"/snap/drafts\">",
      "name=\"snap\" value=\"7\"", "<option value=\"used\" selected>Used</option>",
      "value=\"Fujita X-30 camera\" required maxlength=\"80\"", "Price in USD",
      "name=\"price\" type=\"text\" inputmode=\"decimal\" value=\"419.00\"",
      ">scratch</textarea>",
    ] { #expect(page.contains(text), "\(text)") }
    #expect(page.split(separator: "name=\"form_token\" value=\"1.ab\"").count == 3)
    for field in SnapPage.draftFields { #expect(page.contains("name=\"\(field)\"")) }
  }

  @Test func `without a suggestion the reason is told, and the price is typed in`() {
    let page = Self.page([
      Self.snap {
        $0.price = .refused("2 comparables; 5 are needed.")
        $0.marketplace = .germany
        $0.form?.price = ""
      }
    ])
    #expect(page.contains("<strong>No price is suggested. </strong>2 comparables; 5 are needed."))
    #expect(page.contains("<label for=\"snap-0-price\">Price in EUR</label>"))
    #expect(page.contains("name=\"price\" type=\"text\" inputmode=\"decimal\" value=\"\""))
  }

  @Test func `a fault of a draft stands beside what was typed`() {
    let page = Self.page([
      Self.snap {
        $0.form = .init(title: "A <b>", condition: "mint", price: "cheap")
        $0.form?.faults = ["price": "no amount", "": "too many drafts"]
      }
    ])
    for text in [
      "<details open>", "value=\"A &lt;b&gt;\"",
      "<option value=\"mint\" selected>mint</option>",
      "value=\"cheap\" required maxlength=\"32\" autocomplete=\"off\""
        + " aria-describedby=\"snap-0-price-fault\" aria-invalid=\"true\">",
      "<p class=\"fault\" id=\"snap-0-price-fault\">no amount</p>",
      "<p class=\"fault\" role=\"alert\">too many drafts</p>",
    ] { #expect(page.contains(text), "\(text)") }
    #expect(!page.contains("id=\"snap-0-title-fault\""))
  }

  @Test func `there is a draft once, with its file`() {
    let page = Self.page([
      Self.snap {
        $0.draft = .init(
          made: .testStart, price: EbayMoney("12.5", .dollar), file: "/snap/drafts/7/export")
        $0.form = nil
      }
    ]) { $0.exports = [.germany] }
    #expect(page.contains("</time> for USD 12.50"))
    #expect(
      page.contains("href=\"/snap/drafts/export?marketplace=EBAY_DE\">All drafts for eBay Germany"))
    #expect(page.contains("<a class=\"button\" href=\"/snap/drafts/7/export\">Export file</a>"))
    #expect(!page.contains("action=\"/snap/drafts\""))
  }

  @Test(arguments: [
    (SnapPage.Snap.State.waiting, "Waiting", true), (.reading, "Being read", true),
    (.failed("No thing can be seen."), "Not read", false),
  ])
  func `while photos are read one can look again, and make no draft`(
    _ state: SnapPage.Snap.State, _ word: String, _ isUnderWay: Bool
  ) {
    let page = Self.page([
      Self.snap {
        $0.state = state
        $0.title = ""
        $0.product = ""
        $0.price = nil
        $0.form = nil
      }
    ])
    #expect(page.contains(">\(word)</li>"))
    #expect(page.contains("<a href=\"/snap\">Look again</a>") == isUnderWay)
    #expect(page.contains("<h2 id=\"snap-0\">2 photos</h2>"))
    #expect(page.contains("No thing can be seen.") == !isUnderWay)
    #expect(!page.contains("Make a draft"))
  }

  @Test func `what a model has read in photos stays words`() {
    let text = "\"><script>alert(1)</script>\u{202E}"
    let page = Self.page([
      Self.snap {
        $0.id = text
        $0.title = text
        $0.product = text
        $0.condition = text
        $0.defects = [text]
        $0.form = .init(
          title: text, condition: text, price: text, description: "</textarea>" + text,
          faults: ["": text, "title": text])
        $0.price = .suggested(
          1, low: 1, high: 1, currency: .dollar, confidence: text, basis: [text])
      }
    ]) {
      $0.fault = text
      $0.note = text
    }
    #expect(!page.contains("<script"))
    #expect(!page.contains("</textarea>\""))
    #expect(!page.contains("\u{202E}"))
  }

  @Test func `the photo desk shows no picture of elsewhere`() {
    let content = SnapPage.Content(now: .testStart, token: FormToken("1.ab"))
    #expect(!SnapPage.page(content).showsPhotos)
  }
}
