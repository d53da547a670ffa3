/// Where an access key is typed in.
enum SignInPage {
  /// - Parameters:
  ///   - next: where it leads to; nil: to the list of pages.
  ///   - fault: why nobody was signed in, without a full stop; nil: nobody has tried.
  ///   - isFromOtherSite: whether a link on another site has led here.
  static func page(
    next: OwnPath?, token: FormToken, fault: String? = nil, status: Int = 200,
    isFromOtherSite: Bool = false
  ) -> Page {
    Page("Sign in", status: status) {
      if isFromOtherSite, let next {
        HTML(.p, .class("notice")) {
          "You come from another site. If you have signed in before, "
          HTML(.a, .href(WebAddress(next))) { "go on to the page" }
          "."
        }
      }
      HTML(.form, .class("panel narrow"), .post, .action("/sign-in")) {
        HTML.token(token)
        if let next { HTML(.input, .type(.hidden), .name("next"), .value(next.text)) }
        if let fault {
          HTML(.p, .class("fault"), .id("key-fault"), .alert) { "Not signed in: \(fault)." }
        }
        HTML(.div, .class("field")) {
          HTML(.label, .for("access-key")) { "Access key" }
          HTML(
            .input, .id("access-key"), .name("access_key"), .type(.password),
            .autocomplete("current-password"), .withoutSpellcheck, .withoutCapitals, .required,
            fault == nil ? .described(by: "key-hint") : .described(by: "key-fault key-hint"),
            fault == nil ? nil : .invalid)
          HTML(.p, .class("hint"), .id("key-hint")) {
            "The key that was issued to you. You stay signed in for twelve hours, or until you"
              + " sign out."
          }
        }
        HTML(.button, .submit, .class("primary")) { "Sign in" }
      }
    }
  }
}

/// What there is to look at, and who looks.
enum HomePage {
  static func page(
    links: [PageFrame.Link], account: String, accessKey: String, isSignedIn: Bool
  ) -> Page {
    Page("Pages") {
      HTML(.p, .class("lead")) {
        if isSignedIn {
          "You are signed in for the account "
          HTML(.strong) { HTML(.bdi) { account } }
          accessKey.isEmpty ? ", with the key of the settings." : ", with the key \(accessKey)."
        } else {
          "No access key is needed on this machine. What you ask for is paid by the account "
          HTML(.strong) { HTML(.bdi) { account } }
          "."
        }
      }
      if links.isEmpty {
        HTML(.p) { "No part of Tollbook that is in use has a page." }
      } else {
        HTML(.ul, .class("links"), .list) {
          for link in links {
            HTML(.li) { HTML(.a, .href(WebAddress(link.path))) { link.title } }
          }
        }
      }
    }
  }
}
