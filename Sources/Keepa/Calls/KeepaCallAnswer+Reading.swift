import JSONText
package import TollbookUpstreams

extension KeepaCallAnswer {
  /// The members around what was asked for: the fact sheet, section 3.
  private static let envelope: Set<String> = [
    "timestamp", "tokensLeft", "refillIn", "refillRate", "tokenFlowReduction", "tokensConsumed",
    "processingTimeInMs", "error", "additional",
  ]
  private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  /// Reads an answer in JSON. One with an `error` is a failure, whatever its status.
  ///
  /// - Throws: what went wrong, with its charge.
  package static func read(
    status: Int, body: [UInt8], maximumValues: Int = KeepaLimits.values
  ) throws(UpstreamFailure) -> KeepaCallAnswer {
    let answer = try KeepaAnswer(
      status: status, body: body, payload: nil, maximumValues: maximumValues)
    guard answer.error == nil else { throw answer.failure }
    var json = JSONWriter(capacity: body.count)
    json.beginObject()
    if let members = answer.root.members {
      for member in members where !envelope.contains(member.name) {
        json.rawField(member.name, member.value.bytes)
      }
    }
    json.endObject()
    return KeepaCallAnswer(
      content: json.bytes, reading: answer.envelope?.reading, charge: answer.charge)
  }

  /// Reads a picture. Keepa does not say what it cost: the price list does.
  ///
  /// - Throws: what went wrong, with its charge.
  package static func readPicture(status: Int, body: [UInt8]) throws(UpstreamFailure)
    -> KeepaCallAnswer
  {
    guard status == 200, body.starts(with: signature) else {
      let answer = try KeepaAnswer(
        status: status, body: body, payload: nil, maximumValues: KeepaLimits.values)
      throw answer.failure
    }
    return KeepaCallAnswer(content: body, reading: nil, charge: .unknown)
  }
}
