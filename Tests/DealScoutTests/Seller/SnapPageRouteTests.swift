import HTTPTypes
import JSONText
import Testing
import TollbookEvents
import TollbookGateway
import TollbookSimulators
import TollbookTestSupport

@testable import DealScout
@testable import TollbookHTTP

/// The page `/snap`, as a browser without scripts uses it.
@Suite struct `The photo desk` {
  private static let used = (1...60).first { DrawnPhoto(number: $0).condition == "used" } ?? 1
  private static let photo = PhotoPart.photo(SamplePhotos.png(used), name: "front.png")

  /// Sends photos in and waits until they are read.
  ///
  /// - Returns: the number of what was sent in.
  private static func snap(
    _ browser: inout SellerBrowser, _ stand: SellerStand, on site: String = "EBAY_US"
  ) async throws -> String {
    let token = try await browser.token(at: "/snap")
    let answer = try await browser.upload(
      "/snap", [.text("form_token", token), photo, .text("marketplace", site)])
    #expect(answer.status == 303, "\(answer.text)")
    #expect(answer.headers[.location] == "/snap")
    let number = try #require(stand.gateway.recordedJobs(before: nil, limit: 1).first?.0)
    await stand.finish("\(number)")
    return "\(number)"
  }

  @Test func `photos become a price with its basis, and a draft with its file`() async throws {
    try await SellerStand.serving { stand, client in
      var browser = SellerBrowser(client)
      let thing = DrawnPhoto(number: Self.used)
      try stand.show(["41", "42", "43", "44", "45"], of: thing.title, on: .germany)
      let id = try await Self.snap(&browser, stand, on: "EBAY_DE")
      let page = try await browser.get("/snap")
      #expect(page.status == 200)
      let shown = page.text.replacing("\u{A0}", with: " ")
      for text in [
        "<bdi>\(thing.title)</bdi>", "<p class=\"price\">EUR 43.00</p>", "5 listings of others",
        "Price in EUR", "value=\"43.00\"", "<option value=\"EBAY_DE\" selected>",
        "<a href=\"/snap\" aria-current=\"page\">Photo desk</a>",
      ] { #expect(shown.contains(text), "\(text) in \(shown)") }
      let policy = try #require(page.headers[.contentSecurityPolicy])
      #expect(policy.contains("img-src 'self';") && policy.contains("default-src 'none'"))
      let source = try #require(page.text.firstMatch(of: /src="(\/snap\/photos\/[0-9a-f]{64})"/))
      let picture = try await browser.get(String(source.output.1))
      #expect(picture.status == 200)
      #expect(picture.headers[.contentType] == "image/png")

      let token = try await browser.token(at: "/snap")
      let fields = [
        ("form_token", token), ("snap", id), ("title", "A fine lamp"), ("condition", "used"),
        ("price", "39.90"), ("description", "It shines."), ("cursor", ""),
      ]
      let made = try await browser.post("/snap/drafts", fields)
      #expect(made.status == 303, "\(made.text)")
      // Sent twice, as by a reload, it is one draft.
      #expect(try await browser.post("/snap/drafts", fields).status == 303)
      let drafts = try await client.get("/seller/drafts")
      #expect(drafts.int("total") == 1)
      #expect(drafts.string("drafts.0.marketplace") == "EBAY_DE")
      #expect(drafts.string("drafts.0.price.currency") == "EUR")
      #expect(drafts.string("drafts.0.description") == "It shines.")
      #expect(drafts.count("drafts.0.photos") == 1)
      let after = try await browser.get("/snap")
      #expect(!after.text.contains("action=\"/snap/drafts\""))
      let draft = try #require(drafts.string("drafts.0.id"))
      for path in ["/snap/drafts/\(draft)/export", "/snap/drafts/export?marketplace=EBAY_DE"] {
        #expect(after.text.contains("href=\"\(path)\""), "\(path)")
        let file = try await browser.get(path)
        #expect(file.headers[.contentType]?.hasPrefix("text/csv") == true, "\(file.text)")
        #expect(file.text.contains("A fine lamp"))
      }
    }
  }

  @Test func `a form whose token is missing, wrong or behind its photos spends nothing`()
    async throws
  {
    try await SellerStand.serving { stand, client in
      var browser = SellerBrowser(client)
      let token = try await browser.token(at: "/snap")
      var other = SellerBrowser(client)
      let foreign = try await other.token(at: "/snap")
      let wrong: [[PhotoPart]] = [
        [Self.photo], [.text("form_token", ""), Self.photo],
        [.text("form_token", "1.ab"), Self.photo],
        [.text("form_token", foreign), Self.photo], [Self.photo, .text("form_token", token)],
      ]
      for parts in wrong {
        let answer = try await browser.upload("/snap", parts)
        #expect(answer.status == 403, "\(answer.text)")
      }
      let draft = try await browser.post("/snap/drafts", [("snap", "1"), ("form_token", "1.ab")])
      #expect(draft.status == 403)
      #expect(try stand.gateway.recordedJobs(before: nil, limit: 10).isEmpty)
      #expect(try stand.photoFiles().isEmpty)
      #expect(stand.simulator.books.requests == 0)
    }
  }

  @Test func `photos that are not taken are told on the page, with what was typed`() async throws {
    try await SellerStand.serving { stand, client in
      var browser = SellerBrowser(client)
      let token = PhotoPart.text("form_token", try await browser.token(at: "/snap"))
      let typed: [PhotoPart] = [
        token, .text("note", "<script>alert(1)</script>"), .text("marketplace", "EBAY_FR"),
      ]
      let pdf = InvoiceDrawing.pdf(DrawnInvoice(number: 1, seed: 1))
      let huge = [UInt8](repeating: 7, count: 60_000_000)
      let cases: [(PhotoPart, Int, String)] = [
        (
          .photo(pdf, name: "holiday.jpg", type: "image/jpeg"), 422,
          "holiday.jpg: The file is a PDF"
        ),
        (
          .photo(huge, name: "raw.jpg", type: "image/jpeg"), 413,
          "raw.jpg: a photo may have up to 20 MiB"
        ),
        (.photo([], name: ""), 400, "send at least one picture"),
        (.text("companyID", "default"), 400, "there is no field “companyID”"),
      ]
      for (part, status, text) in cases {
        let answer = try await browser.upload("/snap", typed + [part])
        #expect(answer.status == status, "\(answer.text.prefix(2_000))")
        #expect(answer.headers[.contentType] == "text/html; charset=utf-8")
        #expect(answer.text.contains(text), "\(text) in \(answer.text.prefix(4_000))")
        #expect(answer.text.contains("id=\"photos-fault\" role=\"alert\""))
        #expect(answer.text.contains("value=\"&lt;script&gt;alert(1)&lt;/script&gt;\""))
        #expect(answer.text.contains("<option value=\"EBAY_FR\" selected>"))
      }
      // There is room for the next one: nothing of those is held any more.
      _ = try await Self.snap(&browser, stand)
      #expect(try stand.photoFiles().count == 1)
    }
  }

  @Test(arguments: [
    ("title", "", "condition", "used", "price", "1", "title"),
    ("title", "<script>x</script>", "condition", "mint", "price", "1", "condition"),
    ("title", "<script>x</script>", "condition", "used", "price", "12,50", "price"),
    ("title", "<script>x</script>", "condition", "used", "price", "", "price"),
  ])
  func `a draft with a fault comes back with what was typed`(
    _ title: String, _ titleText: String, _ condition: String, _ conditionText: String,
    _ price: String, _ priceText: String, _ wrong: String
  ) async throws {
    try await SellerStand.serving { stand, client in
      var browser = SellerBrowser(client)
      let id = try await Self.snap(&browser, stand)
      let token = try await browser.token(at: "/snap")
      let answer = try await browser.post(
        "/snap/drafts",
        [
          ("form_token", token), ("snap", id), (title, titleText), (condition, conditionText),
          (price, priceText), ("description", "two <b>lines</b>\nof it"), ("cursor", ""),
        ])
      #expect(answer.status == 400, "\(answer.text)")
      #expect(answer.text.contains("<details open>"))
      #expect(answer.text.contains("<p class=\"fault\" id=\"snap-0-\(wrong)-fault\">"))
      #expect(answer.text.contains("two &lt;b&gt;lines&lt;/b&gt;\nof it</textarea>"))
      #expect(!answer.text.contains("<script"))
      if !titleText.isEmpty {
        #expect(answer.text.contains("value=\"&lt;script&gt;x&lt;/script&gt;\""))
      }
      #expect(answer.text.contains("<option value=\"\(conditionText)\" selected>"))
      #expect(try await client.get("/seller/drafts").int("total") == 0)
    }
  }

  @Test func `what was made already is not made as something else`() async throws {
    try await SellerStand.serving { stand, client in
      var browser = SellerBrowser(client)
      let id = try await Self.snap(&browser, stand)
      let token = try await browser.token(at: "/snap")
      func fields(_ title: String) -> [(name: String, value: String)] {
        [
          ("form_token", token), ("snap", id), ("title", title), ("condition", "used"),
          ("price", "5"),
        ]
      }
      #expect(try await browser.post("/snap/drafts", fields("one")).status == 303)
      #expect(try await browser.post("/snap/drafts", fields("two")).status == 409)
      let drafts = try await client.get("/seller/drafts")
      #expect(drafts.int("total") == 1)
      #expect(drafts.string("drafts.0.title") == "one")
    }
  }

  @Test func `a page, its pictures and its files are their account's alone`() async throws {
    try await SellerStand.serving({ $0.accessKey = "root" }) { stand, client in
      func browser(_ account: String) async throws -> SellerBrowser {
        let root: HTTPFields = [.accessKey: "root"]
        let made = try await client.post(
          "/admin/accounts", #"{"id":"\#(account)","time_zone":"UTC"}"#, root)
        #expect(made.status == 201)
        let issued = try await client.post(
          "/admin/access-keys", #"{"account":"\#(account)","scopes":["read","fetch"]}"#, root)
        var browser = SellerBrowser(client)
        try await browser.signIn(try #require(issued.string("key"), "\(issued.text)"))
        return browser
      }
      var acme = try await browser("acme")
      var other = try await browser("other")
      let id = try await Self.snap(&acme, stand)
      let page = try await acme.get("/snap")
      let picture = String(
        try #require(page.text.firstMatch(of: /src="(\/snap\/photos\/[0-9a-f]{64})"/)).output.1)
      let fields = [
        ("snap", id), ("title", "Lamp"), ("condition", "used"), ("price", "5"),
        ("form_token", try await acme.token(at: "/snap")),
      ]
      #expect(try await acme.post("/snap/drafts", fields).status == 303)
      let after = try await acme.get("/snap")
      let file = String(
        try #require(after.text.firstMatch(of: /href="(\/snap\/drafts\/[0-9a-f]+\/export)"/))
          .output.1)
      for path in [picture, file] {
        #expect(try await acme.get(path).status == 200, "\(path)")
        #expect(try await other.get(path).status == 404, "\(path)")
      }
      #expect(!(try await other.get("/snap")).text.contains("snap-0"))
      var theirs = fields
      theirs[4].1 = try await other.token(at: "/snap")
      #expect(try await other.post("/snap/drafts", theirs).status == 404)
      var nobody = SellerBrowser(client)
      for path in ["/snap", picture, file] {
        #expect(try await nobody.get(path).status == 303, "\(path)")
      }
    }
  }
}
