/// How the gateway decides: freshness, budget, retries and its own housekeeping. Times are in milliseconds.
package struct GatewaySettings: Sendable, Hashable {
  /// What may be spent of an upstream's refill bucket.
  package enum Overdraft: String, Sendable, CaseIterable {
    /// A call is made only if the most that it may cost is there.
    case never
    /// A call is made whenever anything is there, as the upstream itself does.
    case allow
  }

  /// Whether answers may come from the cache. Off, everything is bought; what is bought is still kept.
  package var isCacheOn = true
  /// Who pays, as long as nobody says otherwise.
  package var account = "default"
  /// How long entries may answer, by kind; of another kind what its upstream says.
  package var freshness: [String: FreshnessPolicy] = [:]
  package var overdraft = Overdraft.never
  /// What is left of an upstream's refill bucket for those who wait for an answer: demands in the background do not touch
  /// it.
  package var interactiveReserve: Int64 = 0
  /// What is left of each budget for those who wait for an answer, in percent of its limit.
  package var budgetReserve: Int64 = 0
  /// Whether what a full bucket would lose is spent on entries that will probably be read.
  package var refreshesAhead = false
  /// Calls under way at once, of each upstream.
  package var concurrentCalls = 4
  /// How long the first of those who want the same waits for more, so that one call serves them all. 0: not at all.
  package var gatherTime: Int64 = 0
  /// Resources that wait for their turn, of each upstream; what comes beyond is refused.
  package var mostWaiting = 10_000
  /// Values of a tag that a budget counts each by itself; what bears another one is refused.
  package var mostBudgetValues = 10_000
  /// How long a request may take at the most, beside what it wants to wait for refills: the time in the queue counts.
  package var answerTimeout: Int64 = 120_000
  /// The longest time that a request may want to wait for refills.
  package var longestWait: Int64 = 300_000
  package var retries = RetryPolicy()
  /// Between two writings of the counted reads.
  package var tallyInterval: Int64 = 1_000
  /// Between two rounds of the expiry sweeper.
  package var sweepInterval: Int64 = 1_000
  /// Between two looks at files of accounts whose time is over.
  package var filesInterval: Int64 = 3_600_000
  /// Between two looks whether readers of the log have died.
  package var readerInterval: Int64 = 10_000
  /// How long a body is kept after the last entry that named it is gone.
  package var bodyRetention: Int64 = 30 * 86_400_000
  /// What the bodies of entries, and those that entries named before, may take of the log's file, in bytes. Beyond it
  /// entries go whose purchase is lost most cheaply.
  package var cacheBytes = 4 << 30
  /// Between two questions for the balance alone.
  package var balanceInterval: Int64 = 60_000
  /// Below this an upstream's refill bucket is told of; 0: never.
  package var lowBalance: Int64 = 0
  /// Hosts to which webhooks may lead although they are not public.
  package var webhookHosts: [String] = []
  /// Between two looks at what is to be told.
  package var alertInterval: Int64 = 1_000

  package init() {}
}
