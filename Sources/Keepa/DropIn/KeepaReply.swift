import Deflate
import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookViews

/// An answer in Keepa's wire format: its envelope, the members that were asked for, and what Tollbook has to say of it in
/// headers (fact sheet, section 3). Always gzip and JSON, as Keepa's is.
struct KeepaReply {
  var status = 200
  /// What was asked for: the members between the braces, without a comma at either end.
  var content = Content.members([])
  /// What this request paid.
  var consumed: Int64 = 0
  /// What may have been spent beside that.
  var inDoubt: Int64 = 0
  var refusal: KeepaRefusal?
  /// When it is worth asking again; nil: at the next refill.
  var retryAt: Timestamp?
  var headers: HTTPFields = [:]

  /// What was asked for.
  enum Content {
    case members([UInt8])
    /// Products as they are to be seen, each as its stored body or as it was handed on.
    case products([ProductBody], ProductView)
  }

  init() {}

  init(_ refusal: KeepaRefusal, consumed: Int64 = 0, retryAt: Timestamp? = nil) {
    status = refusal.status
    self.refusal = refusal
    self.consumed = consumed
    self.retryAt = retryAt
  }

  /// - Parameter bucket: the balance as it is believed to stand now.
  func response(_ bucket: BucketForecast, processing: Duration) -> Response {
    var headers = headers
    headers[.contentType] = "application/json;charset=utf-8"
    headers[.contentEncoding] = "gzip"
    headers[.charge] = "\(consumed)"
    if let seconds = retrySeconds(bucket) { headers[.retryAfter] = "\(seconds)" }
    headers.tell(inDoubt: inDoubt)
    let bytes: [UInt8]
    switch content {
    case .members(let members):
      bytes = gzip(head(processing, members) + tail(bucket), level: 1)
    case .products(let products, let view):
      var joiner = GzipJoiner(
        reservingCapacity: products.reduce(1_024) { $0 + $1.stored.fragment.bytes.count + 256 })
      joiner.appendText((head(processing, Array("\"products\":[".utf8))).span)
      for (index, product) in products.enumerated() {
        if index > 0 { joiner.append(ProductView.comma) }
        product.join(view, at: bucket.now, to: &joiner)
      }
      joiner.appendText(([UInt8(ascii: "]")] + tail(bucket)).span)
      bytes = joiner.finish()
    }
    return Response(
      status: HTTPResponse.Status(code: status), headers: headers,
      body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  /// After how many seconds it is worth asking again; nil: it is not said. Who asks again while a call is out waits for
  /// that one call.
  private func retrySeconds(_ bucket: BucketForecast) -> Int64? {
    let wait: Int64
    switch status {
    case 429: wait = bucket.refillIn(until: retryAt)
    case 503: wait = retryAt.map { $0.milliseconds - bucket.now.milliseconds } ?? 0
    default: return nil
    }
    return max(1, (wait + 999) / 1_000)
  }

  /// What stands before the members and the members: without a comma behind.
  private func head(_ processing: Duration, _ members: [UInt8]) -> [UInt8] {
    var json = JSONWriter(capacity: members.count + 256)
    json.beginObject()
    if let refusal {
      json.object("error") { json in
        json.field("type", refusal.type)
        json.field("message", refusal.message)
        json.field("details", "")
      }
    }
    let (seconds, attoseconds) = processing.components
    json.field("processingTimeInMs", seconds * 1_000 + attoseconds / 1_000_000_000_000_000)
    if !members.isEmpty { json.rawMembers(members) }
    return json.bytes
  }

  /// What stands behind them, with the comma before.
  private func tail(_ bucket: BucketForecast) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.field("refillIn", bucket.refillIn(until: retryAt))
    json.field("refillRate", bucket.refillRate)
    json.field("timestamp", bucket.now.milliseconds)
    json.rawField("tokenFlowReduction", Array(bucket.flowReduction.utf8))
    json.field("tokensConsumed", consumed)
    json.field("tokensLeft", bucket.left)
    json.endObject()
    return [UInt8(ascii: ",")] + json.bytes.dropFirst()
  }
}

/// A product's body, and how it gets into an answer.
struct ProductBody {
  let stored: Body

  /// Joins what is to be seen of it: by its pieces where that suffices, else inflated, cut and compressed anew.
  func join(_ view: ProductView, at now: Timestamp, to gzip: inout GzipJoiner) {
    if view.isOfPieces, !stored.pieces.isEmpty {
      view.join(stored, to: &gzip)
      return
    }
    guard let content = try? stored.content(), let product = try? JSONDocument(content).root
    else { return gzip.append(stored.fragment) }
    var json = JSONWriter(capacity: content.count)
    view.write(product, at: now, to: &json)
    gzip.append(Fragment.compressing(json.bytes, level: 1))
  }
}

/// How a refill bucket is believed to stand: the last reading carried on to now.
struct BucketForecast {
  let now: Timestamp
  /// What can be spent; 0 if nothing is known.
  private(set) var left: Int64 = 0
  /// 0 if nothing is known, as Keepa says it where it has no reading.
  private(set) var refillRate: Int64 = 0
  /// Tokens a minute that tracking takes, in Keepa's form.
  private(set) var flowReduction = "0.0"
  private var nextRefill: Timestamp?

  /// Nothing is known, or told.
  init(unknownAt now: Timestamp) { self.now = now }

  init(_ meter: Meter, _ bucket: RefillBucket, at now: Timestamp) {
    self.init(unknownAt: now)
    guard let reading = meter.reading else { return }
    left = bucket.available(on: meter, at: now)
    refillRate = reading.refillRate
    let thousandths = reading.flowReductionThousandths
    let digits = "\(thousandths % 1_000 + 1_000)".dropFirst()
    let fraction = digits.reversed().drop { $0 == "0" }.reversed()
    flowReduction = "\(thousandths / 1_000).\(fraction.isEmpty ? "0" : String(fraction))"
    nextRefill = bucket.refill(after: now, of: reading)
  }

  /// Milliseconds to the next refill; 0 if nothing is known.
  ///
  /// - Parameter retryAt: the refill that brings enough, if that is a later one.
  func refillIn(until retryAt: Timestamp?) -> Int64 {
    guard let nextRefill else { return 0 }
    return max(0, max(nextRefill, retryAt ?? nextRefill).milliseconds - now.milliseconds)
  }
}
