/// The one layout of all pages: a link that skips to the content, the navigation, the content, the foot.
package enum PageLayout {
  /// The document as it is sent.
  package static func document(_ page: Page, in frame: PageFrame) -> String {
    let html = HTML(.html, .lang("en")) {
      HTML(.head) { head(page, frame) }
      HTML(.body) {
        HTML(.a, .class("skip"), .href(WebAddress(toElement: "main"))) { "Skip to the content" }
        header(frame)
        if frame.isSimulated {
          HTML(.p, .class("banner")) {
            "Simulated: no real upstream stands behind what is shown here."
          }
        }
        HTML(.main, .id("main"), .tabindex(-1)) {
          HTML(.h1) { page.title }
          page.content
        }
        footer(frame)
      }
    }
    return "<!DOCTYPE html>\n\(html.markup)\n"
  }

  private static func head(_ page: Page, _ frame: PageFrame) -> HTML {
    HTML(.meta, .charset("utf-8"))
      + HTML(.meta, .name("viewport"), .content("width=device-width, initial-scale=1"))
      + HTML(.meta, .name("color-scheme"), .content("light dark"))
      + HTML(.title) { "\(page.title) · Tollbook" }
      + HTML(.link, .rel("stylesheet"), .href(WebAddress(frame.stylesheet)))
  }

  private static func header(_ frame: PageFrame) -> HTML {
    HTML(.header, .class("top")) {
      HTML(.a, .class("brand"), .href(WebAddress(OwnPath("/pages")))) { "Tollbook" }
      if !frame.navigation.isEmpty {
        HTML(.nav, .label("Pages")) {
          HTML(.ul, .list) {
            for link in frame.navigation {
              HTML(.li) {
                HTML(
                  .a, .href(WebAddress(link.path)),
                  link.path.path == frame.current ? .current : nil
                ) { link.title }
              }
            }
          }
        }
      }
      if let visitor = frame.visitor {
        HTML(.form, .class("who"), .post, .action("/sign-out")) {
          HTML.token(visitor.token)
          HTML(.span) {
            "Account "
            HTML(.bdi) { visitor.account }
          }
          HTML(.button, .submit, .class("quiet")) { "Sign out" }
        }
      }
    }
  }

  private static func footer(_ frame: PageFrame) -> HTML {
    HTML(.footer, .class("foot")) { HTML(.p) { "Tollbook \(frame.version)" } }
  }
}
