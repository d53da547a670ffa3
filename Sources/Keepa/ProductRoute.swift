import Deflate
import Hummingbird
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookUpstreams
import TollbookViews

extension HTTPService {
  /// `GET /keepa/products/{domain}/{asin}`: the body as Keepa sent it. Never buys.
  func addProduct(to router: Router<TollbookContext>) {
    router.route(
      "/keepa/products/{domain}/{asin}", query: QueryNames(["as_of"]),
      get: { request, context in
        let domain = try Self.domain(context)
        let asin = try Self.asin(context)
        let asOf = try AsOf(QueryParameters(request), log)
        let (entry, body, position) =
          try asOf.map { try stored(asin, in: domain, $0) }
          ?? stored(asin, in: domain, by: context.principal)
        let isGzip = acceptsGzip(request.headers[.acceptEncoding])
        var headers = headers(for: entry, asOf)
        headers[.position] = "\(position)"
        let tag = body.digest.prefix(8).map { $0 }.hexadecimal
        let tags = ["\"\(tag)\"", "\"\(tag)-gzip\""]
        headers[.eTag] = tags[isGzip ? 1 : 0]
        if matches(ifNoneMatch: request.headers[.ifNoneMatch], tags) {
          var response = Response(status: .notModified, headers: headers)
          response.headers[.contentLength] = nil
          return response
        }
        headers[.contentType] = "application/json"
        if isGzip { headers[.contentEncoding] = "gzip" }
        let content = try Self.content(body, isGzip: isGzip)
        return Response(
          status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: content)))
      })
  }

  private func stored(
    _ asin: KeepaASIN, in domain: KeepaDomain, by principal: Principal
  ) throws -> (CacheEntry, Body, Position) {
    switch try gateway.product(asin, in: domain, by: principal) {
    case .stored(let entry, let body, let position): return (entry, body, position)
    case .notCached:
      throw Problem(
        .notCached,
        "no body of \(asin) in domain \(domain.rawValue) is stored; POST /keepa/batch-analyze"
          + " buys it")
    case .withoutBody(let entry):
      throw Problem(
        .gone,
        "the body \(entry.digest.hexadecimal) of \(asin) in domain \(domain.rawValue), fetched"
          + " \(entry.fetched), is not kept any more; its summary is at"
          + " /cache/entries/\(entry.resource), and POST /keepa/batch-analyze with a max-age"
          + " buys it again")
    }
  }

  /// The body as it was then. Tells no reads: nobody asked for the present.
  private func stored(
    _ asin: KeepaASIN, in domain: KeepaDomain, _ asOf: AsOf
  ) throws -> (CacheEntry, Body, Position) {
    let key = KeepaUpstream.resource(asin, domain)
    let index = log.index
    let reader = log.reader
    let (entry, body) = try log.read { (transaction) throws(LogError) in
      let entry = try cache.pastEntry(
        of: key, covering: 0, asOf: asOf.position, index: index, reader: reader, in: transaction)
      guard let entry, entry.isPresent else { return (CacheEntry?.none, Body?.none) }
      return (entry, try reader.body(digest: entry.digest, in: transaction))
    }
    guard let entry else {
      throw Problem(
        .notCached,
        "no body of \(asin) in domain \(domain.rawValue) was stored at position"
          + " \(asOf.position)")
    }
    guard let body else {
      throw Problem(
        .gone,
        "the body \(entry.digest.hexadecimal) of \(asin) in domain \(domain.rawValue), fetched"
          + " \(entry.fetched), was removed since; its summary is at"
          + " /cache/entries/\(entry.resource)?as_of=\(asOf.position)")
    }
    return (entry, body, asOf.position)
  }

  static func domain(_ context: TollbookContext) throws(Problem) -> KeepaDomain {
    let text = context.parameters.get("domain") ?? ""
    guard let domain = Int(text).flatMap(KeepaDomain.init) else {
      throw .unknownDomain(text)
    }
    return domain
  }

  static func asin(_ context: TollbookContext) throws(Problem) -> KeepaASIN {
    let text = context.parameters.get("asin") ?? ""
    guard let asin = KeepaASIN(text) else {
      throw Problem(
        .invalidParameter,
        "“\(text.prefix(100))” is no ASIN: \(ASINFault(percentDecoded(text) ?? text))",
        field: "asin")
    }
    return asin
  }

  /// What says how old the body is. `max-age` is the whole time for which a body is fresh: whoever reads it takes the
  /// `Age` off by itself (RFC 9111, section 4.2).
  private func headers(for entry: CacheEntry, _ asOf: AsOf?) -> HTTPFields {
    // What was is not a hit of the cache, and of no use to other caches.
    guard asOf == nil else { return [.vary: "Accept-Encoding"] }
    let now = log.time.now()
    guard let age = entry.ageSeconds(at: now) else {
      return [
        .cacheControl: "no-cache", .cacheStatus: "tollbook; hit; ttl=0", .vary: "Accept-Encoding",
      ]
    }
    let left = (entry.freshUntil.milliseconds - now.milliseconds) / 1_000
    let lifetime = max(0, entry.freshUntil.milliseconds - entry.fetched.milliseconds) / 1_000
    // Behind an access key nobody but the one who showed it may keep the answer.
    let scope = settings.accessKey == nil ? "" : "private, "
    return [
      .age: "\(age)",
      .cacheControl: "\(scope)max-age=\(lifetime)",
      .cacheStatus: "tollbook; hit; ttl=\(left)",
      .vary: "Accept-Encoding",
    ]
  }

  /// The content, or a gzip file that the stored fragment is put into as it is.
  private static func content(_ body: Body, isGzip: Bool) throws -> [UInt8] {
    guard isGzip else {
      do throws(DeflateError) { return try body.fragment.inflated() } catch {
        throw LogError.damaged(
          Damage(
            table: LogTables.bodiesName,
            problem: "a body cannot be inflated: \(body.digest.hexadecimal)"))
      }
    }
    var joiner = GzipJoiner(reservingCapacity: body.fragment.bytes.count)
    joiner.append(body.fragment)
    return joiner.finish()
  }
}
