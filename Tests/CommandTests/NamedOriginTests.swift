import HTTPTypes
import Testing
import TollbookGateway
import TollbookLog

@testable import TollbookHTTP

/// What a page of an origin that the settings name may ask, at every path that there is.
@Suite struct NamedOriginTests {
  private static let named = "https://app.example"

  /// Where pages are, what they show, and where their forms are sent to.
  private static let pages: Set<String> = [
    "/pages", "/sign-in", "/sign-out", "/deals", "/deals/marks", "/snap", "/snap/drafts",
    "/snap/drafts/export", "/snap/drafts/{id}/export", "/snap/photos/{digest}",
    "/ebay/authorize", "/ebay/callback", PageAsset.stylesheet.path.text,
  ]

  @Test(arguments: [(named, true), ("https://other.example", false)])
  func `a browser is let send to every path but to pages and their forms`(
    _ origin: String, _ isNamed: Bool
  ) async throws {
    try await RouteStand.serving {
      $0.corsOrigins = [Self.named]
    } _: { stand in
      let listener = try #require(stand.listeners.first)
      var refused: Set<String> = []
      var allowed: Set<String> = []
      for route in listener.routes where route.method == .options {
        let answer = try await stand.send(
          route, to: listener, [.origin: origin, .accessControlRequestMethod: "POST"],
          PouredBody(0))
        let names = answer.headers[.accessControlAllowOrigin]
        if answer.status == 204 {
          #expect(names == origin, "\(route)")
          allowed.insert(route.pattern)
        } else {
          #expect(answer.status == 403 && names == nil, "\(route): \(answer.status)")
          refused.insert(route.pattern)
        }
      }
      #expect(isNamed ? refused == Self.pages : allowed.isEmpty, "\(refused.sorted())")
    }
  }

  @Test func `files are taken of no page but Tollbook's, unless it shows an access key`()
    async throws
  {
    try await RouteStand.serving {
      $0.corsOrigins = [Self.named]
    } _: { stand in
      let listener = try #require(stand.listeners.first)
      let head = stand.gateway.log.head
      for pattern in ["/extract", "/seller/snap", "/snap"] {
        let route = RouteStand.Route(method: .post, pattern: pattern)
        let answer = try await stand.send(
          route, to: listener,
          [.origin: Self.named, .contentType: "multipart/form-data; boundary=part"],
          PouredBody(1 << 20))
        #expect(answer.status == 403, "\(route): \(answer.text)")
        #expect(answer.taken == 0)
        // What is no page tells the named one why.
        #expect(
          answer.headers[.accessControlAllowOrigin] == (pattern == "/snap" ? nil : Self.named))
      }
      #expect(stand.gateway.log.head == head)
    }
  }
}
