import Hummingbird

extension Problem {
  /// The problem as a page, for a person: its title, what to do about it, and the name of the request.
  func page(requestID: String) -> Page {
    Page(title, status: status.code) {
      HTML(.p, .class("lead")) { sentence }
      if let retry = headers[.retryAfter].flatMap(Int.init) {
        HTML(.p) { retry == 1 ? "Try again in a second." : "Try again in \(retry) seconds." }
      }
      HTML(.p) {
        if status == .unauthorized {
          HTML(.a, .class("button"), .href(WebAddress(OwnPath("/sign-in")))) { "Sign in" }
        } else {
          HTML(.a, .class("button"), .href(WebAddress(OwnPath("/pages")))) { "To the pages" }
        }
      }
      HTML(.p, .class("note")) {
        "Status \(status.code), request "
        HTML(.code) { requestID }
      }
    }
  }

  /// The detail as a sentence.
  private var sentence: String {
    let text = detail.prefix(1).uppercased() + detail.dropFirst()
    return text.isEmpty || text.hasSuffix(".") ? text : "\(text)."
  }
}

/// Whether a client asks for a page: of the types that its `Accept` names and that are sent, HTML is the first.
func wantsPage(_ accept: String?) -> Bool {
  for range in accept?.lowercased().split(separator: ",") ?? [] {
    let type = range.split(separator: ";").first.map { $0.filter { $0 != " " } } ?? ""
    if type == "text/html" { return true }
    if type == "application/json" || type == "application/problem+json" || type == "*/*" {
      return false
    }
  }
  return false
}
