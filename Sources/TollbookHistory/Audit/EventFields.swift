import LMDB
import TollbookEvents

// Of the frequent kinds of events, the fields that an audit wants, read straight from a record's payload. Texts are not
// copied: a range tells where they stand. The numbers are those of events.proto. Nil: the payload is no message.

/// Of a `FetchStarted`.
struct StartedFields {
  var operation = 0..<0
  var credential = 0..<0
  var account = 0..<0
  var unit = 0..<0
  var resources: [Range<Int>] = []
  var resourceCount = 0
  var contentSet: UInt32 = 0
  var isBehind = false
  var maximumAge: UInt32?

  /// - Parameter withResources: whether to note where each resource stands; else they are only counted.
  init?(_ bytes: RawSpan, _ payload: Range<Int>, withResources: Bool) {
    var fields = WireFields(payload)
    while let field = fields.next(in: bytes) {
      switch (field.number, field.kind) {
      case (1, .bytes): operation = field.range
      case (2, .bytes): credential = field.range
      case (3, .bytes): account = field.range
      case (4, .bytes): unit = field.range
      case (5, .bytes):
        resourceCount += 1
        if withResources { resources.append(field.range) }
      case (6, .varint): contentSet = field.uint32
      case (9, .varint): isBehind = field.bool
      case (10, .varint): maximumAge = field.uint32
      default: break
      }
    }
    if fields.isMalformed { return nil }
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

/// Of a `CacheWritten`.
struct WrittenFields {
  var resource = 0..<0
  var contentSet: UInt32 = 0
  var presence: UInt64 = 0
  var fetch: Position = 0
  var body = 0..<0
  var fetched: Int64 = 0
  var freshUntil: Int64 = 0
  var tokens: Int64 = 0

  init?(_ bytes: RawSpan, _ payload: Range<Int>) {
    var fields = WireFields(payload)
    while let field = fields.next(in: bytes) {
      switch (field.number, field.kind) {
      case (1, .bytes): resource = field.range
      case (2, .varint): contentSet = field.uint32
      case (3, .varint): presence = field.value
      case (4, .varint): fetch = field.value
      case (5, .bytes): body = field.range
      case (7, .varint): fetched = field.int64
      case (8, .varint): freshUntil = field.int64
      case (13, .varint): tokens = field.int64
      default: break
      }
    }
    if fields.isMalformed { return nil }
  }
}

/// Of a `CacheExpired`.
struct ExpiredFields {
  var resource = 0..<0
  var written: Position = 0

  init?(_ bytes: RawSpan, _ payload: Range<Int>) {
    var fields = WireFields(payload)
    while let field = fields.next(in: bytes) {
      switch (field.number, field.kind) {
      case (1, .bytes): resource = field.range
      case (3, .varint): written = field.value
      default: break
      }
    }
    if fields.isMalformed { return nil }
  }
}

/// Of a row of a `ReadsTallied`.
struct TallyFields {
  var resource = 0..<0
  var contentSet: UInt32 = 0
  var account = 0..<0
  var lastRead: Int64 = 0
  var fresh: Int64 = 0
  var stale: Int64 = 0
  var joined: Int64 = 0
  var booked: Int64 = 0
  var unmet: Int64 = 0

  init?(_ bytes: RawSpan, _ row: Range<Int>) {
    var fields = WireFields(row)
    while let field = fields.next(in: bytes) {
      switch (field.number, field.kind) {
      case (1, .bytes): resource = field.range
      case (2, .varint): contentSet = field.uint32
      case (3, .bytes): account = field.range
      case (6, .varint): lastRead = field.int64
      case (7, .varint): fresh = Int64(field.uint32)
      case (8, .varint): stale = Int64(field.uint32)
      case (9, .varint): joined = Int64(field.uint32)
      case (12, .varint): booked = Int64(field.uint32)
      case (13, .varint): unmet = Int64(field.uint32)
      default: break
      }
    }
    if fields.isMalformed { return nil }
  }
}

/// Of a `TokensCharged`.
struct ChargedFields {
  struct Share {
    var resource = 0..<0
    var tokens: Int64 = 0
  }

  var fetch: Position = 0
  var attempt: UInt32 = 0
  var credential = 0..<0
  var unit = 0..<0
  var account = 0..<0
  var operation = 0..<0
  var tokens: Int64 = 0
  var reserved: Int64 = 0
  var expected: Int64 = 0
  var shares: [Share] = []

  /// - Parameter withShares: whether to read the shares.
  init?(_ bytes: RawSpan, _ payload: Range<Int>, withShares: Bool) {
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
        guard let share = Self.share(bytes, field.range) else { return nil }
        shares.append(share)
      default: break
      }
    }
    if fields.isMalformed { return nil }
  }

  private static func share(_ bytes: RawSpan, _ range: Range<Int>) -> Share? {
    var share = Share()
    var fields = WireFields(range)
    while let field = fields.next(in: bytes) {
      switch (field.number, field.kind) {
      case (1, .bytes): share.resource = field.range
      case (2, .varint): share.tokens = field.int64
      default: break
      }
    }
    return fields.isMalformed ? nil : share
  }

  /// Whether the shares are all of the tokens: none of them negative, and their sum the cost.
  var isWhole: Bool {
    var sum: Int64 = 0
    for share in shares {
      let (next, overflow) = sum.addingReportingOverflow(share.tokens)
      if overflow || share.tokens < 0 { return false }
      sum = next
    }
    return sum == tokens
  }
}

/// Of a `BalanceObserved`.
struct ObservedFields {
  var credential = 0..<0
  var unit = 0..<0
  var balance: Int64 = 0
  var hasPrevious = false
  var predictedLow: Int64 = 0
  var predictedHigh: Int64 = 0
  var unexplained: Int64 = 0
  var fetch: Position = 0
  var isRestoreGap = false

  init?(_ bytes: RawSpan, _ payload: Range<Int>) {
    var fields = WireFields(payload)
    while let field = fields.next(in: bytes) {
      switch (field.number, field.kind) {
      case (1, .bytes): credential = field.range
      case (2, .bytes): unit = field.range
      case (3, .bytes):
        guard readBalance(bytes, field.range) else { return nil }
      case (4, .bytes): hasPrevious = true
      case (10, .varint): predictedLow = field.int64
      case (11, .varint): predictedHigh = field.int64
      case (13, .varint): unexplained = field.int64
      case (15, .varint): fetch = field.value
      case (16, .varint): isRestoreGap = field.bool
      default: break
      }
    }
    if fields.isMalformed { return nil }
  }

  private mutating func readBalance(_ bytes: RawSpan, _ range: Range<Int>) -> Bool {
    var fields = WireFields(range)
    while let field = fields.next(in: bytes) {
      if field.number == 1, field.kind == .varint { balance = field.int64 }
    }
    return !fields.isMalformed
  }
}
