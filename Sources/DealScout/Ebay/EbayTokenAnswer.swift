package import TollbookEvents

/// A token that eBay minted.
package struct EbayTokenAnswer: Hashable, Sendable {
  /// How long before its end a token is renewed, in milliseconds.
  package static let renewedEarly: Int64 = 300_000
  private static let mostBytes = 64 << 10
  /// Seconds. eBay writes 7,200; a token for longer than a week is not believed.
  private static let lives: ClosedRange<Int64> = 1...604_800
  /// Seconds. eBay writes 47,304,000, which is a year and a half; up to ten years are believed.
  private static let refreshLives: ClosedRange<Int64> = 1...315_360_000

  /// For the header `Authorization: Bearer …`.
  package let accessToken: EbaySecret
  /// Seconds from the answer on.
  package let expiresIn: Int64
  /// Such as `Application Access Token`; empty: it is not told.
  package let tokenType: String
  /// Of a user who consented; a refresh brings none, since the first one stays.
  package let refreshToken: EbaySecret?
  /// Seconds from the answer on; nil: it is not told.
  package let refreshTokenExpiresIn: Int64?

  /// Reads an answer with status 200.
  ///
  /// - Throws: the member that is missing, doubled or not what it should be. No token is in the error.
  package init(_ bytes: [UInt8]) throws(EbayReadingError) {
    let answer = try EbayReader.root(bytes, most: Self.mostBytes, values: 1_000)
    accessToken = try answer.required(try answer.token("access_token"), "access_token")
    expiresIn = try answer.required(try answer.integer("expires_in", Self.lives), "expires_in")
    tokenType = try answer.line("token_type", atMost: 64) ?? ""
    refreshToken = try answer.token("refresh_token")
    refreshTokenExpiresIn = try answer.integer(
      "refresh_token_expires_in", Self.refreshLives)
  }

  /// The value of the header `Authorization` of requests to the APIs.
  package var authorization: EbaySecret { EbaySecret("Bearer \(accessToken.text)") }

  /// When the token is over, if it came at that instant.
  package func ends(from received: Timestamp) -> Timestamp {
    received.advanced(byMilliseconds: expiresIn * 1_000)
  }

  /// When another one is asked for: ``renewedEarly`` before the end, of a short life in the middle.
  package func renewal(from received: Timestamp) -> Timestamp {
    let life = expiresIn * 1_000
    return received.advanced(byMilliseconds: max(life - Self.renewedEarly, life / 2))
  }

  /// When the refresh token is over; nil: it is not told.
  package func refreshEnds(from received: Timestamp) -> Timestamp? {
    refreshTokenExpiresIn.map { received.advanced(byMilliseconds: $0 * 1_000) }
  }
}

extension EbayReader {
  /// A token goes into a header, where blanks and controls would do harm.
  fileprivate func token(_ name: String) throws(EbayReadingError) -> EbaySecret? {
    guard let text = try text(name, most: EbayTokenRequest.mostBytes) else { return nil }
    guard text.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else {
      throw fault(.badToken, name)
    }
    return EbaySecret(text)
  }
}
