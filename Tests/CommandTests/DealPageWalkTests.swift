import Foundation
import JSONText
import Testing
import TollbookSimulators
import TollbookTestSupport

/// The pages of Deal Scout in a real browser, against a real Tollbook before a simulated eBay.
@Suite(
  .enabled(if: Chromium.isInstalled, "Chromium is not installed: /usr/bin/chromium is missing"),
  .timeLimit(.minutes(5)))
struct DealPageWalkTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A Tollbook with a search that was scanned once.
  private func serving() async throws -> Serving {
    let serving = try await Serving(
      ["serve", "--simulate", "--port", "0", "--data-dir", "data"], in: folder)
    // What is shown must not change while it is looked at.
    let paused = try await Companion.said(
      by: "curl",
      [
        "-s", "-X", "PATCH", "\(serving.url)/schedules/scan_all", "-H",
        "Content-Type: application/json", "-d", #"{"paused":true}"#,
      ], in: folder.path)
    #expect(paused.contains(#""paused":true"#))
    try await serving.post(
      "/searches", #"{"name":"headphones","q":"headphones","marketplace":"EBAY_US"}"#)
    let scan = try await serving.post("/scan/run", "{}")
    #expect((scan["new"]?.int ?? 0) > 20)
    return serving
  }

  private static let looks = [
    Chromium.Look(width: 390, isDark: true), Chromium.Look(width: 390, runsScripts: true),
    Chromium.Look(), Chromium.Look(isDark: true, runsScripts: true),
  ]

  @Test func `deals are shown with their scores and reasons, on any screen and without scripts`()
    async throws
  {
    let serving = try await serving()
    let deal = try #require(try await serving.get("/buyer/deals?limit=1")["deals"]?[0])
    let (title, fair) = (try #require(deal["title"]?.string), try #require(deal["fair"]?.string))
    let score = Int((try #require(deal["score"]?.double)).rounded())
    let discount = try #require(deal["discount"]?.double)
    let chromium = try await Chromium(in: folder)
    for look in Self.looks {
      try await chromium.look(look)
      try await chromium.open("\(serving.url)/deals")
      #expect(try await chromium.text("article h2") == title)
      #expect(try await chromium.text(".score-number") == "Score \(score) of 100")
      #expect(try await chromium.text(".score-text")?.contains("USD\u{A0}\(fair)") == true)
      let why = try await chromium.text("article details")
      #expect(why?.contains("comparable listings is the fair price") == true)
      #expect(why?.contains("The total lies \(discount)% below it.") == true)
      #expect(try await chromium.value("document.scripts.length")?.int == 0)
      try await check(look, chromium, serving)
    }
    await chromium.end()
    _ = await serving.end()
  }

  @Test func `a form of the page saves a listing, and one that was tampered with saves nothing`()
    async throws
  {
    let serving = try await serving()
    let chromium = try await Chromium(in: folder)
    try await chromium.look(Chromium.Look(width: 390))
    let page = "\(serving.url)/deals"
    // The buttons that save, in the order of the listings.
    let buttons = "[...document.querySelectorAll('[value=saved] ~ button')]"
    let pressed = "\(buttons).map(button => button.ariaPressed === 'true')"
    func saved() async throws -> [Int] {
      let all = try await chromium.value(pressed)?.array?.map { $0.bool == true } ?? []
      #expect(all.count > 2)
      return all.indices.filter { all[$0] }
    }
    try await chromium.open(page)
    #expect(try await saved() == [])
    try await chromium.press("\(buttons)[1]")
    #expect(try await chromium.value("location.href")?.string == page)
    #expect(try await saved() == [1])

    try await chromium.value("\(buttons)[0].form.form_token.value += '0'")
    try await chromium.press("\(buttons)[0]")
    #expect(await chromium.answer?["status"]?.int == 403)
    try await chromium.open(page)
    #expect(try await saved() == [1], "what was saved stays, and nothing more is")

    try await chromium.press("\(buttons)[1]")
    #expect(try await saved() == [])
    await chromium.end()
    _ = await serving.end()
  }

  @Test func `photos that were sent in by the form are read, and become a draft`() async throws {
    let gemini = try await Serving(["simulate", "gemini", "--port", "0"], in: folder)
    let serving = try await Serving(
      [
        "serve", "--simulate", "--port", "0", "--data-dir", "data", "--gemini-simulator",
        gemini.url,
      ], in: folder)
    let photo = DrawnPhoto(number: 1)
    var files: [String] = []
    for words in ["front", "back"] {
      var side = photo
      side.writing = words
      files.append("\(folder.path)/\(words).png")
      try Data(PhotoDrawing.png(side)).write(to: URL(fileURLWithPath: files[files.count - 1]))
    }
    let chromium = try await Chromium(in: folder)
    let look = Chromium.Look(width: 390, isDark: true)
    try await chromium.look(look)
    try await chromium.open("\(serving.url)/snap")
    try await check(look, chromium, serving)
    let button = "document.querySelector('form[enctype=\"multipart/form-data\"] button')"
    try await chromium.choose(files, in: "input[type=file]")
    try await chromium.press(button)
    #expect(try await chromium.value("location.pathname")?.string == "/snap")
    // As it says itself: look again.
    while try await chromium.text(".notice") != nil {
      try await chromium.open("\(serving.url)/snap")
    }
    #expect(try await chromium.value("document.querySelectorAll('article').length")?.int == 1)
    #expect(try await chromium.text("article h2") == photo.title)
    #expect(try await chromium.text("article .badge.good") == "Read")
    #expect(try await chromium.text("article .facts dd") == photo.product)
    let pictures = """
      Promise.all([...document.images].map(image => {
        image.loading = 'eager'
        return image.decode().then(() => image.naturalWidth)
      }))
      """
    #expect(try await chromium.value(pictures)?.array?.map(\.int) == [480, 480])
    try await check(look, chromium, serving)

    try await chromium.value("document.querySelector('form.draft').price.value = '12.50'")
    try await chromium.press("document.querySelector('form.draft button')")
    let badges = try await chromium.text("article .badges")
    #expect(badges?.contains("Draft made") == true)
    #expect(try await chromium.text("form.draft") == nil)

    // A file that is no photo is refused beside the field.
    try "no photo".write(toFile: "\(folder.path)/a.png", atomically: true, encoding: .utf8)
    try await chromium.choose(["\(folder.path)/a.png"], in: "input[type=file]")
    try await chromium.press(button)
    #expect(try await chromium.text("#photos-fault")?.isEmpty == false)
    #expect(try await chromium.value("document.querySelectorAll('article').length")?.int == 1)
    await chromium.end()
    _ = await serving.end()
    _ = await gemini.end()
  }

  /// What holds of every page: it fits the screen, wears the colours that were asked for, and asks nobody else for
  /// anything.
  private func check(
    _ look: Chromium.Look, _ chromium: Chromium, _ serving: Serving
  ) async throws {
    let beyond = """
      [...document.querySelectorAll("body *")].filter(element => {
        const place = element.getBoundingClientRect()
        return place.width > 0 && (place.right > \(look.width) + 0.5 || place.left < -0.5)
      }).map(element => element.outerHTML.slice(0, 100))
      """
    let stickingOut = try await chromium.value(beyond)?.array?.compactMap(\.string)
    #expect(stickingOut == [], "\(look)")
    let width = try await chromium.value("document.documentElement.scrollWidth")?.int
    #expect((width ?? .max) <= look.width, "\(look)")
    func brightness(_ colour: String) async throws -> Double {
      let sum = "getComputedStyle(document.body).\(colour).match(/[0-9.]+/g)"
      return try await chromium.value(
        "\(sum).slice(0, 3).reduce((sum, part) => sum + Number(part) / 765, 0)")?.double ?? .nan
    }
    let (ground, text) = (
      try await brightness("backgroundColor"), try await brightness("color")
    )
    #expect(look.isDark ? ground < 0.2 && text > 0.8 : ground > 0.8 && text < 0.2, "\(look)")
    let requests = await chromium.requests
    #expect(requests.contains { $0.hasSuffix(".css") })
    for request in requests where !request.hasPrefix("data:") {
      #expect(request.hasPrefix("\(serving.url)/"))
    }
    let policy = await chromium.answer?["headers"]?["Content-Security-Policy"]?.string ?? ""
    #expect(policy.hasPrefix("default-src 'none'; style-src 'self';"), "\(policy)")
    #expect(!policy.contains("script-src"))
  }
}
