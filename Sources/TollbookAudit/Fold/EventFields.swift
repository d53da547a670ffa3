import TollbookEvents

// Of the frequent kinds of events, the fields that an audit wants, read straight from a record's payload. Texts are not
// copied: a range tells where they stand. The numbers are those of events.proto. Nil: the payload is no message.
//
// Events of format 1, which knew one demand and one meter, are read into the same lists: of one demand, one move, one
// payer.

// MARK: Parts of events

/// Of a `MeterName`.
struct MeterFields {
  var ownerKind = 0
  var owner = 0..<0
  /// Where each `Dimension` stands.
  var dimensions: [Range<Int>] = []
  var unit = 0..<0

  /// The meter of a format 1 event.
  init(credential: Range<Int>, unit: Range<Int>) {
    owner = credential
    self.unit = unit
  }

  init?(_ bytes: RawSpan, _ message: Range<Int>) {
    var fields = WireFields(message)
    while let field = fields.next(in: bytes) {
      switch (field.number, field.kind) {
      case (1, .varint): ownerKind = Int(field.uint32)
      case (2, .bytes): owner = field.range
      case (3, .bytes): dimensions.append(field.range)
      case (4, .bytes): unit = field.range
      default: break
      }
    }
    if fields.isMalformed { return nil }
  }
}

/// Of a `Move`.
struct MoveFields {
  var meter: MeterFields
  var window = 0..<0
  var amount: Int64 = 0
  var reserved: Int64 = 0
  var expected: Int64 = 0
  var isLimitOnly = false

  init(_ meter: MeterFields) { self.meter = meter }

  init?(_ bytes: RawSpan, _ message: Range<Int>) {
    meter = MeterFields(credential: 0..<0, unit: 0..<0)
    var fields = WireFields(message)
    while let field = fields.next(in: bytes) {
      switch (field.number, field.kind) {
      case (1, .bytes):
        guard let name = MeterFields(bytes, field.range) else { return nil }
        meter = name
      case (2, .bytes): window = field.range
      case (3, .varint): amount = field.int64
      case (4, .varint): reserved = field.int64
      case (5, .varint): expected = field.int64
      case (9, .varint): isLimitOnly = field.bool
      default: break
      }
    }
    if fields.isMalformed { return nil }
  }
}

/// Of a `Payer`.
struct PayerFields {
  var account = 0..<0
  /// Nil: format 1, which does not tell it.
  var kind: Range<Int>?
  var weight: Int64 = 0

  init(account: Range<Int>) {
    self.account = account
    weight = 1
  }

  init?(_ bytes: RawSpan, _ message: Range<Int>) {
    kind = 0..<0
    var fields = WireFields(message)
    while let field = fields.next(in: bytes) {
      switch (field.number, field.kind) {
      case (1, .bytes): account = field.range
      case (3, .bytes): kind = field.range
      case (4, .varint): weight = field.int64
      default: break
      }
    }
    if fields.isMalformed { return nil }
  }
}

/// Of a `Demand`.
struct DemandFields {
  var account = 0..<0
  var contentSet: UInt64 = 0
  var ageBasis = AgeBasis.fetch
  var maximumAge: UInt32?
  var isBehind = false

  init() {}

  init?(_ bytes: RawSpan, _ message: Range<Int>) {
    var fields = WireFields(message)
    while let field = fields.next(in: bytes) {
      switch (field.number, field.kind) {
      case (1, .bytes): account = field.range
      case (4, .varint): contentSet = field.value
      case (5, .varint): ageBasis = AgeBasis(rawValue: Int(field.uint32)) ?? .fetch
      case (6, .varint): maximumAge = field.uint32
      case (7, .varint): isBehind = field.bool
      default: break
      }
    }
    if fields.isMalformed { return nil }
  }
}

/// Of a `Cost`.
struct CostFields {
  /// Nil: format 1, tokens.
  var unit: Range<Int>?
  var amount: Int64 = 0

  init(tokens: Int64) { amount = tokens }

  init?(_ bytes: RawSpan, _ message: Range<Int>) {
    unit = 0..<0
    var fields = WireFields(message)
    while let field = fields.next(in: bytes) {
      switch (field.number, field.kind) {
      case (1, .bytes): unit = field.range
      case (2, .varint): amount = field.int64
      default: break
      }
    }
    if fields.isMalformed { return nil }
  }
}

// MARK: Fetching

/// Of a `FetchStarted`.
struct StartedFields {
  var operation = 0..<0
  var credential = 0..<0
  var resources: [Range<Int>] = []
  var resourceCount = 0
  /// The parts that the call buys.
  var contentSet: UInt64 = 0
  var demands = ShortList<DemandFields>()
  /// Of each resource the number of its demand; empty: all are of the first.
  var demandOf: [Int64] = []
  /// Empty: evenly.
  var weights: [Int64] = []
  var moves = ShortList<MoveFields>()
  /// Whether the event tells of demands, and by that of kinds of payers.
  var tellsDemands = false

  /// - Parameter withResources: whether to note where each resource stands; else they are only counted.
  init?(_ bytes: RawSpan, _ payload: Range<Int>, withResources: Bool) {
    var demand = DemandFields()
    var unit = 0..<0
    var bound: Int64 = 0
    var fields = WireFields(payload)
    while let field = fields.next(in: bytes) {
      switch (field.number, field.kind) {
      case (1, .bytes): operation = field.range
      case (2, .bytes): credential = field.range
      case (3, .bytes): demand.account = field.range
      case (4, .bytes): unit = field.range
      case (5, .bytes):
        resourceCount += 1
        if withResources { resources.append(field.range) }
      case (6, .varint): contentSet = field.value
      case (7, .varint): bound = field.int64
      case (9, .varint): demand.isBehind = field.bool
      case (10, .varint): demand.maximumAge = field.uint32
      case (12, .bytes):
        guard let demand = DemandFields(bytes, field.range) else { return nil }
        demands.append(demand)
      case (13, _): guard field.readNumbers(bytes, into: &demandOf) else { return nil }
      case (14, _): guard field.readNumbers(bytes, into: &weights) else { return nil }
      case (15, .bytes):
        guard let move = MoveFields(bytes, field.range) else { return nil }
        moves.append(move)
      default: break
      }
    }
    if fields.isMalformed { return nil }
    tellsDemands = !demands.isEmpty
    if demands.isEmpty {
      demand.contentSet = contentSet
      demands.append(demand)
    }
    if moves.isEmpty {
      var move = MoveFields(MeterFields(credential: credential, unit: unit))
      move.amount = bound
      moves.append(move)
    }
  }

  /// The number of a resource's demand.
  func demand(ofResource index: Int) -> Int {
    guard index < demandOf.count else { return 0 }
    return Int(truncatingIfNeeded: demandOf[index])
  }
}

/// Of a `FetchSucceeded`, a `FetchAttemptFailed` and a `FetchFailed`: what they have in common.
struct EndedFields {
  var fetch: Position = 0
  /// Attempts in all for a `FetchFailed`.
  var attempt: UInt32 = 0
  /// Of a `FetchAttemptFailed`: 0, there is none.
  var nextAttempt: UInt32 = 0

  init?(_ bytes: RawSpan, _ payload: Range<Int>, kind: EventKind) {
    var fields = WireFields(payload)
    while let field = fields.next(in: bytes) {
      switch (field.number, field.kind) {
      case (1, .varint): fetch = field.value
      case (2, .varint): attempt = field.uint32
      case (6, .varint) where kind == .fetchAttemptFailed: nextAttempt = field.uint32
      default: break
      }
    }
    if fields.isMalformed { return nil }
  }
}

// MARK: Cache

/// Of a `CacheWritten`.
struct WrittenFields {
  var resource = 0..<0
  var contentSet: UInt64 = 0
  var presence: UInt64 = 0
  var fetch: Position = 0
  var body = 0..<0
  var fetched: Int64 = 0
  var freshUntil: Int64 = 0
  /// When the upstream's own data is from; 0: unknown.
  var upstreamUpdated: Int64 = 0
  var costs = ShortList<CostFields>()

  init?(_ bytes: RawSpan, _ payload: Range<Int>) {
    var tokens: Int64 = 0
    var fields = WireFields(payload)
    while let field = fields.next(in: bytes) {
      switch (field.number, field.kind) {
      case (1, .bytes): resource = field.range
      case (2, .varint): contentSet = field.value
      case (3, .varint): presence = field.value
      case (4, .varint): fetch = field.value
      case (5, .bytes): body = field.range
      case (7, .varint): fetched = field.int64
      case (8, .varint): freshUntil = field.int64
      case (12, .varint): upstreamUpdated = field.int64
      case (13, .varint): tokens = field.int64
      case (15, .bytes):
        guard let cost = CostFields(bytes, field.range) else { return nil }
        costs.append(cost)
      default: break
      }
    }
    if fields.isMalformed { return nil }
    if costs.isEmpty, tokens != 0 { costs.append(CostFields(tokens: tokens)) }
  }
}

/// Of a `CacheExpired`, and of a row of an `EntriesSwept`.
struct SweptFields {
  var resource = 0..<0
  var contentSet: UInt64 = 0
  var written: Position = 0
  /// Removed; else marked as no longer fresh. A `CacheExpired` has no such field.
  var isEvicted = false

  init?(_ bytes: RawSpan, _ message: Range<Int>) {
    var fields = WireFields(message)
    while let field = fields.next(in: bytes) {
      switch (field.number, field.kind) {
      case (1, .bytes): resource = field.range
      case (2, .varint): contentSet = field.value
      case (3, .varint): written = field.value
      case (5, .varint): isEvicted = field.bool
      default: break
      }
    }
    if fields.isMalformed { return nil }
  }
}

/// Of a row of a `ReadsTallied`.
struct TallyFields {
  var resource = 0..<0
  var contentSet: UInt64 = 0
  var account = 0..<0
  var lastRead: Int64 = 0
  var fresh: Int64 = 0
  var stale: Int64 = 0
  var joined: Int64 = 0
  var booked: Int64 = 0
  var unmet: Int64 = 0
  /// What would have bought it; empty: not told.
  var operation = 0..<0
  /// Position of the `CacheWritten` that answered; 0: not told.
  var written: Position = 0
  /// What that entry had cost; empty: not told.
  var costs = ShortList<CostFields>()

  init?(_ bytes: RawSpan, _ row: Range<Int>) {
    var fields = WireFields(row)
    while let field = fields.next(in: bytes) {
      switch (field.number, field.kind) {
      case (1, .bytes): resource = field.range
      case (2, .varint): contentSet = field.value
      case (3, .bytes): account = field.range
      case (6, .varint): lastRead = field.int64
      case (7, .varint): fresh = Int64(field.uint32)
      case (8, .varint): stale = Int64(field.uint32)
      case (9, .varint): joined = Int64(field.uint32)
      case (12, .varint): booked = Int64(field.uint32)
      case (13, .varint): unmet = Int64(field.uint32)
      case (14, .bytes): operation = field.range
      case (17, .varint): written = field.value
      case (18, .bytes):
        guard let cost = CostFields(bytes, field.range) else { return nil }
        costs.append(cost)
      default: break
      }
    }
    if fields.isMalformed { return nil }
  }
}

// MARK: Ledger

/// Of a `TokensCharged`.
struct ChargedFields {
  struct Share {
    /// Empty: the call itself.
    var resource = 0..<0
    /// Of format 1.
    var tokens: Int64 = 0
    /// Where its amounts stand among those of all shares.
    var amounts = 0..<0
    var payer = 0
    var use = Use.unspecified
    var written: Position = 0
  }

  var fetch: Position = 0
  var attempt: UInt32 = 0
  var credential = 0..<0
  var operation = 0..<0
  var moves = ShortList<MoveFields>()
  var payers = ShortList<PayerFields>()
  var shares: [Share] = []
  /// Whether the event tells what became of each part of the cost; format 1 does not.
  var tellsUse = false
  /// Of each share one for each move that is not a limit only.
  private var amounts: [Int64] = []

  /// - Parameter withShares: whether to read the shares.
  init?(_ bytes: RawSpan, _ payload: Range<Int>, withShares: Bool) {
    var unit = 0..<0
    var account = 0..<0
    var tokens: Int64 = 0
    var reserved: Int64 = 0
    var expected: Int64 = 0
    var fields = WireFields(payload)
    while let field = fields.next(in: bytes) {
      switch (field.number, field.kind) {
      case (1, .varint): fetch = field.value
      case (2, .varint): attempt = field.uint32
      case (3, .bytes): credential = field.range
      case (4, .bytes): unit = field.range
      case (5, .bytes): account = field.range
      case (6, .bytes): operation = field.range
      case (7, .varint): tokens = field.int64
      case (8, .varint): reserved = field.int64
      case (9, .varint): expected = field.int64
      case (10, .bytes) where withShares:
        guard readShare(bytes, field.range) else { return nil }
      case (12, .bytes):
        guard let move = MoveFields(bytes, field.range) else { return nil }
        moves.append(move)
      case (13, .bytes):
        guard let payer = PayerFields(bytes, field.range) else { return nil }
        payers.append(payer)
      default: break
      }
    }
    if fields.isMalformed { return nil }
    tellsUse = !moves.isEmpty
    guard moves.isEmpty else { return }
    var move = MoveFields(MeterFields(credential: credential, unit: unit))
    move.amount = tokens
    move.reserved = reserved
    move.expected = expected
    moves.append(move)
    payers = ShortList(PayerFields(account: account))
    amounts = shares.map(\.tokens)
    for index in shares.indices {
      shares[index].amounts = index..<index + 1
      shares[index].payer = 0
    }
  }

  private mutating func readShare(_ bytes: RawSpan, _ range: Range<Int>) -> Bool {
    var share = Share()
    let start = amounts.count
    var fields = WireFields(range)
    while let field = fields.next(in: bytes) {
      switch (field.number, field.kind) {
      case (1, .bytes): share.resource = field.range
      case (2, .varint): share.tokens = field.int64
      case (3, _): guard field.readNumbers(bytes, into: &amounts) else { return false }
      case (4, .varint): share.payer = Int(field.uint32)
      case (5, .varint): share.use = Use(rawValue: Int(field.uint32)) ?? .unspecified
      case (6, .varint): share.written = field.value
      default: break
      }
    }
    share.amounts = start..<amounts.count
    shares.append(share)
    return !fields.isMalformed
  }

  /// What a share has of the move that is the `number`th of those that are not limits only.
  func amount(of share: Share, move number: Int) -> Int64 {
    amounts[share.amounts.lowerBound + number]
  }

  /// Whether the shares are all of a move: none of them negative, and their sum the cost.
  func isWhole(_ move: MoveFields, _ number: Int) -> Bool {
    var sum: Int64 = 0
    for share in shares {
      guard number < share.amounts.count, share.payer < payers.count else { return false }
      let amount = amount(of: share, move: number)
      let (next, overflow) = sum.addingReportingOverflow(amount)
      if overflow || amount < 0 { return false }
      sum = next
    }
    return sum == move.amount && !shares.isEmpty
  }
}

/// Of a `BalanceObserved`.
struct ObservedFields {
  var meter = MeterFields(credential: 0..<0, unit: 0..<0)
  var balance: Int64 = 0
  var hasPrevious = false
  var predictedLow: Int64 = 0
  var predictedHigh: Int64 = 0
  var unexplained: Int64 = 0
  var isRestoreGap = false

  init?(_ bytes: RawSpan, _ payload: Range<Int>) {
    var name: MeterFields?
    var fields = WireFields(payload)
    while let field = fields.next(in: bytes) {
      switch (field.number, field.kind) {
      case (1, .bytes): meter.owner = field.range
      case (2, .bytes): meter.unit = field.range
      case (3, .bytes):
        guard readBalance(bytes, field.range) else { return nil }
      case (4, .bytes): hasPrevious = true
      case (10, .varint): predictedLow = field.int64
      case (11, .varint): predictedHigh = field.int64
      case (13, .varint): unexplained = field.int64
      case (16, .varint): isRestoreGap = field.bool
      case (17, .bytes):
        guard let told = MeterFields(bytes, field.range) else { return nil }
        name = told
      default: break
      }
    }
    if fields.isMalformed { return nil }
    if let name { meter = name }
  }

  private mutating func readBalance(_ bytes: RawSpan, _ range: Range<Int>) -> Bool {
    var fields = WireFields(range)
    while let field = fields.next(in: bytes) {
      if field.number == 1, field.kind == .varint { balance = field.int64 }
    }
    return !fields.isMalformed
  }
}
