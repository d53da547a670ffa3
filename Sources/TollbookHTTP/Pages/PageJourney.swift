package import Hummingbird
package import TollbookGateway

// The way of a browser to a page of another site, and back.

extension PageRouter {
  /// How long a browser may be away, in milliseconds: ten minutes.
  package static var journey: Int64 { 600_000 }

  /// Adds where a browser leaves for a page of another site, which sends it back to a ``landing(_:_:)``. It is left from
  /// pages of Tollbook's or from an address that somebody types in, and by no link on another site.
  ///
  /// - Parameter address: makes the address of the other site. The landing knows `browser` again; it is in no address.
  package func departure(
    _ path: RouterPath, query: QueryNames = QueryNames(), scope: AccessScope = .fetch,
    _ address:
      @escaping @Sendable (Request, PageContext, _ browser: String) async throws ->
      String
  ) {
    addVisit(path, isOpen: false) { [desk] request, context in
      try context.principal.require(scope)
      try QueryNames.check(request, at: path.description, query)
      try Self.refuseOtherSite(request)
      let cookie = PageCookie.journey
      let isSecure = desk.paths.isSecure
      let browser =
        cookie.value(in: request.headers, isSecure: isSecure) ?? PageCookie.randomValue()
      let place = try await address(request, desk.context(context), browser)
      var response = Response(status: .found, headers: [.location: place])
      response.headers.append(
        cookie.setting(browser, for: Self.journey / 1_000, isSecure: isSecure))
      return response
    }
  }

  /// Adds where another site sends a browser back to. Nobody is signed in here, since a browser sends no cookie of a session
  /// with such a request: what is done must be bound to the journey. Of the query nothing is refused, for the other site
  /// has written it.
  ///
  /// - Parameter make: makes the page. `browser` is what the departure was told; nil: this browser has made none.
  package func landing(
    _ path: RouterPath,
    _ make: @escaping @Sendable (Request, PageContext, _ browser: String?) async throws -> Page
  ) {
    addVisit(path, isOpen: true) { [desk] request, context in
      let browser = PageCookie.journey.value(in: request.headers, isSecure: desk.paths.isSecure)
      let page = try await make(request, desk.context(context), browser)
      return desk.answer(.page(page), request, context)
    }
  }

  /// Adds a path that answers GET alone: HEAD, which looks whether something is there, must not do what is done once.
  private func addVisit(_ path: RouterPath, isOpen: Bool, get: @escaping Handler) {
    desk.paths.add(path.description, PagePaths.Entry(isOpen: isOpen, isShown: true))
    router.on(path, method: .get, use: get)
    router.refuseMethods(but: [.get], at: path)
  }

  private static func refuseOtherSite(_ request: Request) throws(Problem) {
    guard let site = request.headers[.secFetchSite]?.lowercased() else { return }
    guard site == "same-origin" || site == "none" else {
      throw Problem(
        .foreignOrigin, "a page of another site leads here; begin on Tollbook's own page",
        field: "Sec-Fetch-Site")
    }
  }
}
