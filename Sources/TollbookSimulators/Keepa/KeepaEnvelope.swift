/// The members that every JSON answer of Keepa carries, errors included.
package struct KeepaEnvelope: Sendable, Equatable {
  /// Why a call was not executed.
  package struct Failure: Sendable, Equatable {
    /// Keepa's name of the kind of failure.
    package var type: String
    /// One sentence.
    package var message: String
    /// More, often empty.
    package var details: String

    /// A failure; the simulator's own words.
    package init(type: String, message: String, details: String = "") {
      self.type = type
      self.message = message
      self.details = details
    }
  }

  /// The server's clock, milliseconds since 1970.
  package var timestamp: Int64
  /// The balance after the call; may be negative.
  package var tokensLeft = 0
  /// Milliseconds until the next refill.
  package var refillIn: Int64 = 0
  /// Tokens per refill; 0 means that no bucket was looked at.
  package var refillRate = 0
  /// Thousandths of a token that tracking takes from every refill.
  package var flowReduction = 0
  /// The cost of this call.
  package var tokensConsumed = 0
  /// How long the server worked.
  package var processingTime = 0
  /// Set if the call failed.
  package var error: Failure?

  /// An envelope without a bucket: all numbers are zero.
  package init(timestamp: Int64) {
    self.timestamp = timestamp
  }

  /// An envelope with what a bucket holds now.
  package init(bucket: inout TokenBucket, tokensConsumed: Int = 0, at now: Int64) {
    timestamp = now
    refillIn = bucket.refillIn(at: now)
    tokensLeft = bucket.balance
    refillRate = bucket.rate
    flowReduction = bucket.flowReduction
    self.tokensConsumed = tokensConsumed
  }

  /// The JSON text; `members` writes the payload, nil leaves it out.
  package func json(
    capacity: Int = 512, members: ((_ json: inout JSONBytes) -> Void)? = nil
  ) -> [UInt8] {
    var json = JSONBytes(capacity: capacity)
    json.object { json in
      if let error {
        json.key("error")
        json.object { json in
          json.member("details", error.details)
          json.member("message", error.message)
          json.member("type", error.type)
        }
      }
      json.member("processingTimeInMs", processingTime)
      members?(&json)
      json.member("refillIn", Int(refillIn))
      json.member("refillRate", refillRate)
      json.member("timestamp", Int(timestamp))
      json.key("tokenFlowReduction")
      json.decimal(thousandths: flowReduction)
      json.member("tokensConsumed", tokensConsumed)
      json.member("tokensLeft", tokensLeft)
    }
    return json.bytes
  }
}
