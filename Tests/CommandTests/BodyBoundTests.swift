import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization
import Testing
import TollbookGateway
import TollbookLog

@testable import TollbookHTTP

/// How much of a body is read at every route that there is.
@Suite struct BodyBoundTests {
  private static let usual = TollbookContext.maximumBody

  /// The longest body of each route that takes one, in bytes, but for those with files.
  private static let bounds: [String: Int] = {
    var bounds: [String: Int] = [:]
    func add(_ bytes: Int, _ routes: [String]) {
      for route in routes { bounds[route] = bytes }
    }
    add(
      usual,
      [
        "POST /keepa/batch-analyze", "POST /cache/warm", "POST /cache/purge",
        "POST /api/v1/products/discover", "POST /api/v1/products/discover-with-scoring",
        "POST /api/v1/products/{domain}/{asin}/score", "POST /admin/webhooks",
        "POST /admin/credentials", "PATCH /admin/credentials/{id}", "POST /admin/pools",
        "POST /admin/corrections", "POST /admin/invoices", "POST /admin/budgets",
        "PATCH /admin/budgets/{name}", "POST /admin/access-keys",
        "POST /admin/access-keys/{id}/rotate", "POST /admin/accounts",
      ])
    add(usual, Array(commandLine))
    // Keepa's own paths.
    let names = [
      "product", "token", "bestsellers", "query", "category", "search", "deal", "seller",
      "graphimage", "topseller", "lightningdeal", "tracking",
    ]
    add(1 << 20, names.flatMap { ["POST /keepa/\($0)", "POST /keepa/{options}/\($0)"] })
    add(32 << 20, ["POST /keepa/import"])
    // Gemini's own paths: a document is in the body, as text.
    add(
      20 << 20,
      ["POST /gemini/{first}/models/{call}", "POST /gemini/{first}/{version}/models/{call}"])
    add(
      16 << 10,
      [
        "POST /price", "POST /comprehensive_analysis", "POST /volume_spike", "POST /cvd",
        "POST /listings/lookup", "POST /notifications/channels", "POST /notifications/rules",
        "POST /seller/pricing/suggest",
      ])
    add(
      4 << 10,
      [
        "POST /scan/run", "POST /tasks/scan", "POST /tasks/recompute-comps",
        "PATCH /schedules/{name}", "PUT /buyer/preferences", "POST /buyer/watches",
        "POST /ebay/refresh",
      ])
    add(64 << 10, ["POST /searches", "POST /seller/post", "POST /ebay/exchange"])
    add(8 << 20, ["POST /seller/sales"])
    add(64 << 10, forms.map { "POST \($0)" })
    return bounds
  }()

  /// Of the command line's listener alone; the public one may know the path, and refuses the method.
  private static let commandLine: Set<String> = ["POST /resolve", "POST /snapshots"]

  /// The longest body that a route takes, but for those with files; nil: it takes none.
  private static func bound(of route: RouteStand.Route, at listener: RouteStand.Listener) -> Int? {
    let isThere = !commandLine.contains("\(route)") || listener.name == "control"
    return isThere ? bounds["\(route)"] : nil
  }

  /// Where a page's form is sent to.
  private static let forms = ["/sign-in", "/sign-out", "/deals/marks", "/snap/drafts"]

  /// Where files are sent to: the longest body, and the longest file, in bytes. The page takes no file before its token.
  private static let uploads: [String: (body: Int, file: Int?)] = [
    "POST /extract": (24 << 20, 20 << 20), "POST /seller/snap": (64 << 20, 20 << 20),
    "POST /snap": (64 << 20, nil),
  ]

  /// What may be longer with an idempotency key than without one: the body is read before it is known whether the list is
  /// for a job.
  private static let boundsWithKey = ["POST /keepa/batch-analyze": 4 << 20]

  /// Where a POST is not read: its path says all.
  private static let unread: Set<String> = [
    "POST /admin/deliveries/{id}/resend", "POST /admin/accounts/{id}/shred",
    "POST /notifications/channels/{name}/test", "POST /notifications/deliveries/{id}/resend",
  ]

  /// What is not sent, since it works whatever the body: it takes neither the request nor anything of it.
  private static let unsent: Set<String> = ["POST /rebuild"]

  /// Longer than any bound.
  private static let endless = 80 << 20

  private static let file =
    "--part\r\nContent-Disposition: form-data; name=\"FIELD\"; filename=\"a\"\r\n\r\n"

  private static let methods: [HTTPRequest.Method] = [.post, .put, .patch, .delete]

  /// Does something at each route that changes something.
  private static func eachRoute(
    of stand: RouteStand,
    _ body: (RouteStand.Listener, RouteStand.Route) async throws -> Void
  ) async throws {
    for listener in stand.listeners {
      for route in listener.routes
      where methods.contains(route.method) && !unsent.contains("\(route)") {
        try await body(listener, route)
      }
    }
  }

  private static func headers(_ route: RouteStand.Route) -> HTTPFields {
    if uploads["\(route)"] != nil {
      return [.contentType: "multipart/form-data; boundary=part"]
    }
    return forms.contains(route.pattern)
      ? [.contentType: "application/x-www-form-urlencoded"] : [.contentType: "application/json"]
  }

  private static func poured(_ length: Int, to route: RouteStand.Route) -> PouredBody {
    guard uploads["\(route)"] != nil else { return PouredBody(length) }
    let field = route.pattern == "/extract" ? "file" : "photo"
    return PouredBody(length, beginning: file.replacing("FIELD", with: field))
  }

  private static func expectRefused(
    _ answer: RouteStand.Answer, _ route: RouteStand.Route, beyond bound: Int,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let texts = ["up to \(bound) bytes", "up to \(bound >> 20) MiB"]
    #expect(
      answer.status == 413 && texts.contains { answer.text.contains($0) },
      "\(route): \(answer.status) \(answer.text.prefix(300))", sourceLocation: sourceLocation)
  }

  @Test func `every route reads a body up to its bound, and no further`() async throws {
    try await RouteStand.serving { stand in
      let head = stand.gateway.log.head
      var seen: Set<String> = []
      try await Self.eachRoute(of: stand) { listener, route in
        let name = "\(route)"
        let body = Self.poured(Self.endless, to: route)
        let answer = try await stand.send(route, to: listener, Self.headers(route), body)
        seen.insert(name)
        if let bound = Self.bound(of: route, at: listener) {
          Self.expectRefused(answer, route, beyond: bound)
          #expect(answer.taken <= bound + PouredBody.piece, "\(route): \(answer.taken)")
        } else if let upload = Self.uploads[name] {
          if let bound = upload.file { Self.expectRefused(answer, route, beyond: bound) }
          #expect(400..<500 ~= answer.status, "\(route): \(answer.status)")
          let most = (upload.file ?? 0) + 2 * PouredBody.piece
          #expect(answer.taken <= most, "\(route): \(answer.taken)")
        } else {
          #expect(answer.taken == 0, "\(route) reads a body: what bounds it?")
          #expect(400..<500 ~= answer.status, "\(route): \(answer.status)")
          let isKnown = answer.status == 405 || route.method == .delete
          #expect(isKnown || Self.unread.contains(name), "\(route) does not read its body")
        }
      }
      let named = Set(Self.bounds.keys).union(Self.uploads.keys).union(Self.unread)
      #expect(named.subtracting(seen).sorted() == [])
      #expect(stand.gateway.log.head == head)
    }
  }

  @Test func `what announces more than the bound is refused unread`() async throws {
    try await RouteStand.serving { stand in
      let head = stand.gateway.log.head
      try await Self.eachRoute(of: stand) { listener, route in
        let own = Self.bound(of: route, at: listener)
        guard let bound = own ?? Self.uploads["\(route)"]?.body else { return }
        var headers = Self.headers(route)
        headers[.contentLength] = "\(bound + 1)"
        let body = Self.poured(bound + 1, to: route)
        let answer = try await stand.send(route, to: listener, headers, body)
        Self.expectRefused(answer, route, beyond: bound)
        #expect(answer.taken == 0, "\(route): \(answer.taken)")
      }
      #expect(stand.gateway.log.head == head)
    }
  }

  @Test func `a body that is as long as its bound is read whole`() async throws {
    try await RouteStand.serving { stand in
      let head = stand.gateway.log.head
      try await Self.eachRoute(of: stand) { listener, route in
        // What asks for the balance would be told it, whatever the body.
        guard let bound = Self.bound(of: route, at: listener), !route.pattern.hasSuffix("/token")
        else { return }
        var headers = Self.headers(route)
        // What is sent on to the provider as it stands is not sent on here.
        if route.pattern.hasPrefix("/keepa/") { headers[.dryRun] = "1" }
        let whole = try await stand.send(route, to: listener, headers, PouredBody(bound))
        #expect(whole.status != 413 && whole.taken == bound, "\(route): \(whole)")
        let longer = try await stand.send(route, to: listener, headers, PouredBody(bound + 1))
        Self.expectRefused(longer, route, beyond: bound)
      }
      #expect(stand.gateway.log.head == head)
    }
  }

  @Test func `an idempotency key lengthens no body`() async throws {
    try await RouteStand.serving { stand in
      let head = stand.gateway.log.head
      var kept = 0
      try await Self.eachRoute(of: stand) { listener, route in
        let name = "\(route)"
        let known = Self.bound(of: route, at: listener) ?? Self.uploads[name]?.body
        guard let own = known else { return }
        var headers = Self.headers(route)
        headers[.idempotencyKey] = "key"
        let body = Self.poured(Self.endless, to: route)
        let answer = try await stand.send(route, to: listener, headers, body)
        if answer.status == 400, answer.text.contains("Idempotency-Key") {
          #expect(answer.taken == 0, "\(route): \(answer.taken)")
          return
        }
        kept += 1
        let isToken = route.pattern.hasSuffix("/token")
        let bound = isToken ? own : Self.boundsWithKey[name] ?? max(own, Self.usual)
        Self.expectRefused(answer, route, beyond: bound)
        #expect(answer.taken <= bound + PouredBody.piece, "\(route): \(answer.taken)")
      }
      #expect(kept > 20)
      #expect(stand.gateway.log.head == head)
    }
  }

  /// A form that has begun and does not come to its end.
  private final class HeldForm: Sendable {
    private let pieces: AsyncStream<ByteBuffer>
    private let source: AsyncStream<ByteBuffer>.Continuation
    private let isRead = Mutex(false)

    init(_ beginning: String) {
      (pieces, source) = AsyncStream.makeStream()
      source.yield(ByteBuffer(string: beginning))
    }

    var hasBegun: Bool { isRead.withLock { $0 } }

    var body: RequestBody {
      RequestBody(
        asyncSequence: pieces.map { piece in
          self.isRead.withLock { $0 = true }
          return piece
        })
    }

    func end() { source.finish() }
  }

  @Test(arguments: [("/extract", "file"), ("/seller/snap", "photo")])
  func `files with an idempotency key wait unread for room in memory`(
    _ pattern: String, _ field: String
  ) async throws {
    try await RouteStand.serving { stand in
      let listener = try #require(stand.listeners.first)
      let route = RouteStand.Route(method: .post, pattern: pattern)
      let headers = Self.headers(route)
      let beginning = Self.file.replacing("FIELD", with: field)
      let held = HeldForm(beginning)
      let first = Task { try await stand.send(route, to: listener, headers, held.body) }
      while !held.hasBegun { await Task.yield() }
      let body = PouredBody(1_000, beginning: beginning)
      let second = Task {
        var headers = headers
        headers[.idempotencyKey] = "key"
        return try await stand.send(route, to: listener, headers, body)
      }
      for _ in 0..<10_000 { await Task.yield() }
      #expect(body.taken == 0)
      held.end()
      #expect(try await first.value.status == 400)
      let answer = try await second.value
      #expect(answer.status == 400 && answer.taken == 1_000, "\(answer)")
    }
  }
}
