/// A call of one endpoint, read and checked: what it asks for.
protocol KeepaCall: Sendable {
  /// Does the work: refreshes what is refreshed, tells what it costs and what it brings.
  ///
  /// Runs while no other call does.
  func work(in world: inout KeepaWorld, _ moment: KeepaMoment) -> KeepaWork
}

/// When, for whom and under which rules a call is worked on.
struct KeepaMoment: Sendable {
  /// Milliseconds since 1970.
  let now: Int64
  /// The caller's key.
  let key: String
  let configuration: KeepaSimulatorConfiguration
  /// A fault takes the first product out of the answer.
  var leavesOutFirst = false

  /// The Keepa minute.
  var minute: Int { KeepaMinutes.containing(milliseconds: now) }
}

/// What the simulated Keepa remembers between calls.
struct KeepaWorld: Sendable {
  var copies = KeepaCopies()
  var catalogue = KeepaCatalogue()
  var held = HeldValues()
  var graphs = KeepaGraphCopies()
  var trackings = KeepaTrackings()
}

/// A call that was worked on.
struct KeepaWork: Sendable {
  /// What is put into the answer beside the envelope.
  enum Payload: Sendable {
    /// The envelope alone.
    case none
    /// Members of the answer, about so many bytes of them.
    case members(capacity: Int, @Sendable (_ json: inout JSONBytes) -> Void)
    /// A picture as it was at a Keepa minute, without an envelope.
    case image(KeepaGraph, minute: Int)
  }

  /// What the call costs.
  var tokens: Int
  /// The products that were asked for by ASIN, and what each cost; for the books.
  var asins: [String] = []
  var shares: [Int] = []
  /// Thousandths of a token that refills bring less from now on; nil: as before.
  var flowReduction: Int?
  var payload: Payload

  /// Work that costs `tokens`.
  init(tokens: Int, _ payload: Payload = .none) {
    self.tokens = tokens
    self.payload = payload
  }

  /// Work that costs `tokens` and brings members.
  init(
    tokens: Int, capacity: Int = 2048, members: @escaping @Sendable (inout JSONBytes) -> Void
  ) {
    self.init(tokens: tokens, .members(capacity: capacity, members))
  }
}
