package import Hummingbird
package import TollbookGateway

/// Makes the pages of a router: what a browser shows, and the forms that it sends.
///
/// 1. Who looks has signed in, where an access key is needed at all; otherwise he is led to where he can.
/// 2. To look at a page changes nothing and buys nothing: a link on any site leads to it.
///    Where another site sends a browser back to, what is done is bound to a journey that this browser has begun.
/// 3. A form is taken only with the token of a page that was shown to the same browser.
package struct PageRouter {
  let router: Router<TollbookContext>
  let desk: PageDesk

  /// Adds a page.
  ///
  /// - Parameters:
  ///   - link: what it is called in the navigation; nil: it is not there.
  ///   - query: the names that its query may hold; each may be left empty, as browsers send what nobody has filled in.
  ///   - scope: what an access key needs.
  ///   - form: a form that is sent to the same path.
  package func page(
    _ path: RouterPath, link: String? = nil, query: QueryNames = QueryNames(),
    scope: AccessScope = .read, form: PageForm? = nil,
    _ make: @escaping @Sendable (Request, PageContext) async throws -> Page
  ) {
    add(
      path, link: link, isOpen: false,
      get: { [desk] request, context in
        try context.principal.require(scope)
        try QueryNames.check(request, at: path.description, query, allowsEmpty: true)
        let page = PageAnswer.page(try await make(request, desk.context(context)))
        return desk.answer(page, request, context)
      }, form: form)
  }

  /// Adds a form that is sent to a path of its own.
  ///
  /// - Parameters:
  ///   - fields: the names that may stand once.
  ///   - several: the names that may stand several times.
  ///   - scope: what an access key needs; nil: nothing.
  package func form(
    _ path: RouterPath, fields: [String], several: [String] = [], scope: AccessScope? = .fetch,
    _ take: @escaping @Sendable (FormFields, PageContext) async throws -> PageAnswer
  ) {
    form(path, .fields(fields, several: several, scope: scope, take))
  }

  /// Adds a form that is sent to a path of its own.
  package func form(_ path: RouterPath, _ form: PageForm) {
    add(path, isOpen: false, get: nil, form: form)
  }

  /// Adds what a page shows and is none, such as a picture: to be had by who may look at pages.
  package func file(
    _ path: RouterPath, query: QueryNames = QueryNames(), scope: AccessScope = .read,
    _ make: @escaping @Sendable (Request, PageContext) async throws -> Response
  ) {
    add(
      path, isOpen: false,
      get: { [desk] request, context in
        try context.principal.require(scope)
        try QueryNames.check(request, at: path.description, query)
        return try await make(request, desk.context(context))
      }, form: nil)
  }

  /// Adds a path with all its methods at once.
  ///
  /// - Parameter isOpen: whether it needs no sign-in.
  func add(
    _ path: RouterPath, link: String? = nil, isOpen: Bool, get: Handler?, form: PageForm?
  ) {
    let pattern = path.description
    desk.paths.add(
      pattern,
      PagePaths.Entry(isOpen: isOpen, isShown: get != nil, takesForm: form != nil),
      link: link.flatMap { title in OwnPath(pattern).map { PageFrame.Link(title, $0) } })
    var allowed: [HTTPRequest.Method] = []
    if let get {
      allowed += [.get, .head]
      router.on(path, method: .get, use: get)
      router.on(path, method: .head, use: get)
    }
    if let form {
      allowed.append(.post)
      router.on(path, method: .post) { [desk] request, context in
        try await desk.take(form, request, context)
      }
    }
    router.refuseMethods(but: allowed, at: path)
  }
}
