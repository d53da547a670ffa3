import TollbookEvents
package import TollbookUpstreams

/// What Keepa's answer to `/token` says. The call is free and works at any balance (fact sheet,
/// section 4), so none of its failures costs anything either.
package enum KeepaBalanceAnswer {
  /// Reads an answer.
  ///
  /// - Throws: what went wrong; its charge is zero.
  package static func read(
    status: Int, body: [UInt8], maximumValues: Int = KeepaLimits.values
  ) throws(UpstreamFailure) -> UpstreamReading {
    do throws(UpstreamFailure) {
      let answer = try KeepaAnswer(
        status: status, body: body, payload: nil, maximumValues: maximumValues)
      guard answer.error == nil else { throw answer.failure }
      guard let reading = answer.envelope?.reading else {
        throw UpstreamFailure(
          .unreadable, status: status, detail: "an answer without a balance", charge: .known(0))
      }
      return reading
    } catch {
      throw UpstreamFailure(
        error.reason, status: error.status, detail: error.detail, charge: .known(0),
        reading: error.reading)
    }
  }
}
