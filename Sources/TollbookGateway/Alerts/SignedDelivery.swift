import Crypto
import Foundation
package import TollbookEvents
import TollbookLog
package import TollbookUpstreams

// What tells a user's address something, whatever it tells.

extension OutgoingMessage {
  package static let signatureHeader = "Tollbook-Signature"
  package static let deliveryHeader = "Tollbook-Delivery"

  /// One try of a delivery, signed where there is a secret.
  ///
  /// - Parameters:
  ///   - id: the same over all tries.
  ///   - now: the instant of the try, which the signature bears.
  package init(
    delivery id: String, _ body: [UInt8], to entry: WebhookKeys.Entry, at now: Timestamp
  ) {
    var headers = [(name: Self.deliveryHeader, value: id)]
    if !entry.secret.isEmpty {
      headers.append(
        (name: Self.signatureHeader, value: Self.signature(of: body, by: entry.secret, at: now)))
    }
    self.init(entry.url, headers: headers, body: body)
  }

  /// `t=` and the instant in seconds, `,v1=` and the HMAC-SHA256, in hexadecimal, of the instant, a dot and the body.
  package static func signature(
    of body: [UInt8], by secret: String, at now: Timestamp
  ) -> String {
    let seconds = now.milliseconds / 1_000
    let code = HMAC<SHA256>.authenticationCode(
      for: Data("\(seconds).".utf8) + Data(body), using: SymmetricKey(data: Data(secret.utf8)))
    return "t=\(seconds),v1=\(Array(code).hexadecimal)"
  }
}

extension Gateway {
  /// Pauses before a failed delivery is tried again, in milliseconds. After the last one it is given up.
  package static let deliveryPauses: [Int64] = [
    10_000, 60_000, 300_000, 1_800_000, 7_200_000, 21_600_000, 86_400_000,
  ]

  /// When a delivery that was not taken is tried again; nil: it is given up. As late as the receiver asks for, but no
  /// later than the longest pause.
  ///
  /// - Parameter attempts: how often it was tried before.
  package static func nextTry(
    after attempts: Int, _ receipt: MessageReceipt, at now: Timestamp
  ) -> Timestamp? {
    guard deliveryPauses.indices.contains(attempts), let longest = deliveryPauses.last else {
      return nil
    }
    let asked = min(receipt.retryAfter ?? 0, longest)
    return now.advanced(byMilliseconds: max(deliveryPauses[attempts], asked))
  }

  /// Sends a message to an address that a user gave, once, by what sends to webhooks.
  package func tell(_ message: OutgoingMessage) async -> MessageReceipt { await send(message) }

  /// Refuses an address that may not be connected to. It is looked at again at each try: a name that nobody knows yet
  /// may be known by then.
  package func check(_ url: GivenURL) async throws(AccountRefusal) {
    do throws(AddressGuard.Refusal) { _ = try await addresses.address(of: url) } catch {
      if error.kind == .notPublic { throw AccountRefusal(.invalid, "url", error.description) }
    }
  }
}
