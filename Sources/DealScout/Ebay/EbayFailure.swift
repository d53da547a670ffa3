package import TollbookEvents

/// Why a request brought nothing (Browse API, response codes; OAuth, RFC 6749, section 5.2).
package struct EbayFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// What follows from an answer that is no success.
  package enum Reason: Hashable, Sendable {
    /// The token is over or garbled: mint another one, once.
    case tokenExpired
    /// eBay does not take the client id and secret. A key that is not enabled yet gets the same answer.
    case keyRejected
    /// eBay does not take the authorization code or refresh token: it is used, over or revoked. Only a new consent
    /// helps.
    case grantRejected
    /// The token has not the scope, or the key no permission for the API.
    case scopeMissing
    /// There is no such item any more, or there never was.
    case notFound
    /// The item cannot be had for a while, as when its seller changes it.
    case unavailable
    /// The id is a group's, whose variations have ids of their own.
    case isGroup
    /// The calls of the window are used up. The instant is eBay's, where it told one; `rate_limit` tells it otherwise.
    case quota(until: Timestamp?)
    /// eBay does not take the request as it is. It never will.
    case invalidRequest
    /// Something before the API refused, such as a firewall.
    case forbidden
    /// eBay's own trouble: a later try may succeed. It may have counted the request.
    case trouble
    /// Nothing that eBay would write.
    case unreadable
  }

  package static let mostText = 512

  package let reason: Reason
  /// Of HTTP.
  package let status: Int
  /// eBay's number of the error, such as 12001; nil: there is none.
  package let id: Int64?
  /// For a person, on one line and no longer than ``mostText``: eBay's message, or what was found instead.
  package let message: String

  package var description: String {
    "HTTP status \(status)\(id.map { ", error \($0)" } ?? ""): \(message)"
  }

  /// Whether the same request may succeed later.
  package var isTemporary: Bool {
    switch reason {
    case .tokenExpired, .unavailable, .quota, .trouble, .unreadable: true
    case .keyRejected, .grantRejected, .scopeMissing, .notFound, .isGroup, .invalidRequest,
      .forbidden:
      false
    }
  }

  /// Whether eBay may have counted the request without its answer saying so.
  package var mayHaveCounted: Bool { reason == .trouble || reason == .unreadable }
}
