import HTTPTypes
import Hummingbird
package import TollbookGateway

/// What a page knows of who looks at it.
package struct PageContext: Sendable {
  /// Who asks and pays: of the access key that was signed in with.
  package let principal: Principal
  /// Whether somebody has signed in; else nobody needs to, or the page is one that needs no sign-in.
  package let isSignedIn: Bool
  /// What the forms of the page carry.
  package let token: FormToken
  /// What belongs to the request, such as the parameters of its path.
  package let request: TollbookContext
}

/// What is answered to a form.
package struct PageAnswer: Sendable {
  enum Content: Sendable {
    case seeOther(OwnPath)
    case page(Page)
  }

  let content: Content
  /// Cookies that are set.
  var cookies: [HTTPField] = []

  /// Shows another page (303), so that a reload sends no form again.
  package static func seeOther(_ path: OwnPath) -> PageAnswer {
    PageAnswer(content: .seeOther(path))
  }

  /// Shows a page, such as the form again with what is wrong with it.
  package static func page(_ page: Page) -> PageAnswer { PageAnswer(content: .page(page)) }
}

/// The browser that asks for a page, as its cookies tell.
struct PageVisitor: Sendable {
  /// Whom the forms of a page are bound to.
  var holder: FormTokens.Holder
  /// A cookie that it does not have yet.
  var newCookie: HTTPField?

  var isSignedIn: Bool {
    if case .session = holder { true } else { false }
  }
}
