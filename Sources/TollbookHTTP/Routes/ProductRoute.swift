import Deflate
import Hummingbird
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookUpstreams
import TollbookViews

extension HTTPService {
  /// `GET /keepa/products/{domain}/{asin}`: the body as Keepa sent it. Never buys.
  func addProduct(to router: Router<TollbookContext>) {
    router.route(
      "/keepa/products/{domain}/{asin}",
      get: { request, context in
        let domain = try Self.domain(context)
        let asin = try Self.asin(context)
        let (entry, body, position) = try stored(asin, in: domain)
        let isGzip = acceptsGzip(request.headers[.acceptEncoding])
        var headers = headers(for: entry)
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
    _ asin: KeepaASIN, in domain: KeepaDomain
  ) throws -> (CacheEntry, Body, Position) {
    switch try gateway.product(asin, in: domain) {
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

  private static func domain(_ context: TollbookContext) throws(Problem) -> KeepaDomain {
    let text = context.parameters.get("domain") ?? ""
    guard let domain = Int(text).flatMap(KeepaDomain.init) else {
      throw .unknownDomain(text)
    }
    return domain
  }

  private static func asin(_ context: TollbookContext) throws(Problem) -> KeepaASIN {
    let text = context.parameters.get("asin") ?? ""
    guard let asin = KeepaASIN(text) else {
      throw Problem(
        .invalidParameter, "“\(text.prefix(100))” is no ASIN: that has ten letters and digits",
        field: "asin")
    }
    return asin
  }

  /// What says how old the body is. `max-age` is the whole time for which a body is fresh: whoever reads it takes the
  /// `Age` off by itself (RFC 9111, section 4.2).
  private func headers(for entry: CacheEntry) -> HTTPFields {
    let now = log.time.now()
    let left = (entry.freshUntil.milliseconds - now.milliseconds) / 1_000
    let lifetime = max(0, entry.freshUntil.milliseconds - entry.fetched.milliseconds) / 1_000
    // Behind an access key nobody but the one who showed it may keep the answer.
    let scope = settings.accessKey == nil ? "" : "private, "
    return [
      .age: "\(entry.ageSeconds(at: now))",
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
