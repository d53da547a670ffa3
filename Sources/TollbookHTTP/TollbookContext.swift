package import Hummingbird
import Logging
import NIOCore
package import TollbookGateway

/// What belongs to one request.
package struct TollbookContext: RequestContext {
  /// The longest body of a request that is read: a thousand names take 13 KB.
  package static let maximumBody = 1 << 20

  package var coreContext: CoreRequestContextStorage

  /// Names the request in its answer and in diagnostics. Hummingbird's own `id` is kept in the logger and traps where a
  /// log handler drops metadata.
  let requestID: String

  /// Who asks: who reaches this machine, until an access key says more.
  package var principal = Principal(account: "default")
  /// Repeats answers to requests with idempotency keys; nil: those are not looked at.
  var idempotency: IdempotentRequests?
  /// The address that it comes from; empty: a socket of this machine.
  let remote: String

  /// The browser that asks, where it asks for a page; nil: it asks for something else.
  var visitor: PageVisitor?

  /// What the request belongs to by the host that it names, a provider's; nil: its path decides.
  var provider: DropIn?

  package init(source: Source) {
    coreContext = .init(source: source)
    remote = source.channel.remoteAddress?.ipAddress ?? ""
    requestID = source.logger[metadataKey: "hb.request.id"]?.description ?? "\(RequestID())"
  }

  package var maxUploadSize: Int { Self.maximumBody }
}
