/// What one page shows, without what stands around it on every page.
package struct Page: Hashable, Sendable {
  /// What it is called, in a few words: in the browser's tab, and as the heading.
  package var title: String
  package var content: HTML
  /// A status of HTTP.
  package var status: Int
  /// Whether it shows pictures that lie elsewhere on the web; else it may show those of Tollbook alone.
  package var showsPhotos: Bool

  package init(
    _ title: String, status: Int = 200, showsPhotos: Bool = false,
    @HTMLBuilder content: () -> HTML
  ) {
    self.title = title
    self.status = status
    self.showsPhotos = showsPhotos
    self.content = content()
  }

  /// What a browser may do with it: no script, no frame, no form that goes elsewhere (Content Security Policy, level 3).
  var securityPolicy: String {
    let photos = showsPhotos ? " https:" : ""
    return "default-src 'none'; style-src 'self'; img-src 'self'\(photos); form-action 'self'; "
      + "frame-ancestors 'none'; base-uri 'none'"
  }
}

/// What stands around a page.
package struct PageFrame: Hashable, Sendable {
  /// What leads to a page.
  package struct Link: Hashable, Sendable {
    package var title: String
    package var path: OwnPath

    package init(_ title: String, _ path: OwnPath) {
      self.title = title
      self.path = path
    }
  }

  /// Who has signed in.
  package struct Visitor: Hashable, Sendable {
    package var account: String
    /// For the form that signs out.
    package var token: FormToken

    package init(account: String, token: FormToken) {
      self.account = account
      self.token = token
    }
  }

  package var navigation: [Link]
  /// The path of this page, without its query.
  package var current: String
  /// Nil: nobody has, or need not.
  package var visitor: Visitor?
  /// Whether no real upstream stands behind what is shown.
  package var isSimulated: Bool
  /// Tollbook's own version.
  package var version: String
  package var stylesheet: OwnPath

  package init(
    navigation: [Link], current: String = "", visitor: Visitor? = nil, isSimulated: Bool,
    version: String, stylesheet: OwnPath
  ) {
    self.navigation = navigation
    self.current = current
    self.visitor = visitor
    self.isSimulated = isSimulated
    self.version = version
    self.stylesheet = stylesheet
  }
}
