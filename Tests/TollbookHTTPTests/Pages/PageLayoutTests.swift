import Testing

@testable import TollbookHTTP

@Suite struct PageLayoutTests {
  private func frame(_ change: (inout PageFrame) -> Void = { _ in }) -> PageFrame {
    var frame = PageFrame(
      navigation: [PageFrame.Link("Deals", "/deals"), PageFrame.Link("Books", "/books")],
      current: "/books", isSimulated: false, version: "1.2.3", stylesheet: "/pages/style-1.css")
    change(&frame)
    return frame
  }

  @Test func `a page has its language, its title, one heading, and a way past the navigation`() {
    let page = Page("A <b> & c") { HTML(.p) { "content" } }
    let text = PageLayout.document(page, in: frame())
    #expect(text.hasPrefix("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"))
    #expect(text.contains("<title>A &lt;b&gt; &amp; c · Tollbook</title>"))
    #expect(text.contains("<h1>A &lt;b&gt; &amp; c</h1><p>content</p></main>"))
    #expect(text.components(of: "<h1").count == 2)
    #expect(text.contains("<body><a class=\"skip\" href=\"#main\">"))
    #expect(text.contains("<main id=\"main\" tabindex=\"-1\">"))
    #expect(text.contains("<meta name=\"viewport\""))
    #expect(text.contains("<link rel=\"stylesheet\" href=\"/pages/style-1.css\">"))
  }

  @Test func `the navigation says where one is`() {
    let text = PageLayout.document(Page("Books") {}, in: frame())
    #expect(text.contains("<a href=\"/deals\">Deals</a>"))
    #expect(text.contains("<a href=\"/books\" aria-current=\"page\">Books</a>"))
  }

  @Test func `who has signed in can sign out, with a token`() {
    let account = "<acme>"
    let text = PageLayout.document(
      Page("Books") {},
      in: frame { $0.visitor = PageFrame.Visitor(account: account, token: FormToken("1.ab")) })
    #expect(text.contains("<form class=\"who\" method=\"post\" action=\"/sign-out\">"))
    #expect(text.contains("<input type=\"hidden\" name=\"form_token\" value=\"1.ab\">"))
    #expect(text.contains("<bdi>&lt;acme&gt;</bdi>"))
    #expect(!PageLayout.document(Page("Books") {}, in: frame()).contains("/sign-out"))
  }

  @Test func `what is simulated says so on each page`() {
    let simulated = PageLayout.document(Page("Books") {}, in: frame { $0.isSimulated = true })
    #expect(simulated.contains("Simulated: no real upstream"))
    #expect(!PageLayout.document(Page("Books") {}, in: frame()).contains("Simulated"))
  }

  @Test func `a page holds no script and no style`() {
    let pages = [
      SignInPage.page(next: "/deals", token: FormToken("1.ab"), fault: "x", isFromOtherSite: true),
      HomePage.page(links: frame().navigation, account: "a", accessKey: "k", isSignedIn: true),
      Problem(.notFound, "there is nothing").page(requestID: "r"),
    ]
    for page in pages {
      let text = PageLayout.document(page, in: frame()).lowercased()
      for word in ["<script", "<style", " style=", " onclick", "javascript:", "http-equiv"] {
        #expect(!text.contains(word), "\(page.title) has \(word)")
      }
    }
  }

  @Test func `photos of elsewhere are shown where a page says so`() {
    #expect(
      Page("x") {}.securityPolicy
        == "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        + "frame-ancestors 'none'; base-uri 'none'")
    #expect(Page("x", showsPhotos: true) {}.securityPolicy.contains("img-src 'self' https:;"))
  }
}

extension String {
  fileprivate func components(of word: String) -> [Substring] { split(separator: word) }
}
