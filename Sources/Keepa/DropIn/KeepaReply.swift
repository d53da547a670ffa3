import Deflate
import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookViews

/// An answer in Keepa's wire format: its envelope, the members that were asked for, and what Tollbook has to say of it in
/// headers (fact sheet, section 3). Always gzip and JSON, as Keepa's is.
struct KeepaReply {
  var status = 200
  /// The members between the braces, without a comma at either end.
  var members: [UInt8] = []
  /// What this request paid.
  var consumed: Int64 = 0
  var refusal: KeepaRefusal?
  /// When it is worth asking again; nil: at the next refill.
  var retryAt: Timestamp?
  var headers: HTTPFields = [:]

  init() {}

  init(_ refusal: KeepaRefusal, consumed: Int64 = 0, retryAt: Timestamp? = nil) {
    status = refusal.status
    self.refusal = refusal
    self.consumed = consumed
    self.retryAt = retryAt
  }

  /// - Parameter bucket: the balance as it is believed to stand now.
  func response(_ bucket: BucketForecast, processing: Duration) -> Response {
    var json = JSONWriter(capacity: members.count + 512)
    json.beginObject()
    if let refusal {
      json.object("error") { json in
        json.field("type", refusal.type)
        json.field("message", refusal.message)
        json.field("details", "")
      }
    }
    json.field(
      "processingTimeInMs",
      Int64(processing.components.seconds) * 1_000
        + processing.components.attoseconds / 1_000_000_000_000_000)
    if !members.isEmpty { json.rawMembers(members) }
    json.field("refillIn", bucket.refillIn(until: retryAt))
    json.field("refillRate", bucket.refillRate)
    json.field("timestamp", bucket.now.milliseconds)
    json.rawField("tokenFlowReduction", Array(bucket.flowReduction.utf8))
    json.field("tokensConsumed", consumed)
    json.field("tokensLeft", bucket.left)
    json.endObject()
    var headers = headers
    headers[.contentType] = "application/json;charset=utf-8"
    headers[.contentEncoding] = "gzip"
    headers[.charge] = "\(consumed)"
    let content = gzip(json.bytes, level: 1)
    return Response(
      status: HTTPResponse.Status(code: status), headers: headers,
      body: .init(byteBuffer: ByteBuffer(bytes: content)))
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
