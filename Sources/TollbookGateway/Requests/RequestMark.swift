package import TollbookEvents
import TollbookViews

/// That a demand belongs to a request with an idempotency key: what is bought for it is on the record under that key.
package struct RequestMark: Hashable, Sendable {
  /// SHA-256 of the idempotency key and of whose it is.
  package let key: [UInt8]
  /// Of a request that is made anew: when it was begun first. What was fetched since is what it asked for, whatever age it
  /// demands. Nil: it is made for the first time.
  package var since: Timestamp?
  /// What earlier tries of it have bought.
  package var bought: [BoughtCall] = []

  package init(key: [UInt8]) { self.key = key }

  /// A call of an earlier try that was answered, and charged.
  package struct BoughtCall: Hashable, Sendable {
    package var fetch: Position
    package var operation: String
    package var resources: Set<String>
  }

  /// Whether an earlier try brought an entry.
  func brought(_ entry: CacheEntry) -> Bool {
    since.map { entry.fetched >= $0 } ?? false
  }

  /// Why something is not bought: an earlier try has bought it, and it is not kept. Nil: none has.
  ///
  /// - Parameter resource: nil: the call itself, that nothing is kept of.
  func problem(buying resource: ResourceKey?, by operation: String) -> PurchaseProblem? {
    let call = bought.first { call in
      call.operation == operation
        && (resource.map { call.resources.contains($0.description) } ?? call.resources.isEmpty)
    }
    return call.map {
      PurchaseProblem(
        .answerLost,
        "it was bought under this idempotency key by fetch \($0.fetch), and what came is not kept;"
          + " another key buys it again")
    }
  }
}
