import Bytes
package import TollbookEvents

/// What the cache holds of one resource and content set: when it was fetched, until when it may answer, and where its
/// body is.
package struct CacheEntry: Hashable, Sendable {
  package var resource: ResourceKey
  /// Which paid parts the body holds, as the upstream's adapter numbers them.
  package var contentSet: UInt64
  /// Whether the upstream has the resource; if not there is no body.
  package var isPresent: Bool
  /// Position of the `CacheWritten`.
  package var written: Position
  package var fetched: Timestamp
  package var freshUntil: Timestamp
  package var graceUntil: Timestamp
  package var errorGraceUntil: Timestamp
  package var keepUntil: Timestamp
  /// When the upstream's own data is from, nil if unknown.
  package var upstreamUpdated: Timestamp?
  /// What it cost, once for each unit.
  package var amounts: [Amount]
  /// Whether the sweeper has noted that it is not fresh any more.
  package var isMarkedExpired: Bool
  /// Whether an operator took its freshness from it.
  package var isPurged: Bool
  /// How often it answered since it was fetched, up to the last tally.
  package var hits: UInt64
  package var lastRead: Timestamp?
  package var bodyBytes: Int64
  /// SHA-256 of the body; empty for an absent resource.
  package var digest: [UInt8]
  /// What its kind says of it in short, as the kind encodes it.
  package var summary: [UInt8]
  package var summaryForm: SummaryForm

  /// How an entry stands at an instant.
  package enum State: String, CaseIterable, Sendable {
    case fresh, stale, expired, negative
  }

  /// Fresh entries answer; stale ones answer if nothing better can be had; expired ones are only kept. A negative entry
  /// is a fresh "there is no such thing". One that was fetched later than that instant, by a clock that was ahead, is
  /// not fresh: nobody knows how old it is.
  package func state(at now: Timestamp) -> State {
    if fetched <= now, now < freshUntil { return isPresent ? .fresh : .negative }
    return now < max(graceUntil, errorGraceUntil) ? .stale : .expired
  }

  /// Whether it has freshness that can be taken from it: it answers before anything better is asked for, or will when
  /// the clock has come to where it stood as the entry was fetched.
  package func hasFreshness(at now: Timestamp) -> Bool { now < max(freshUntil, graceUntil) }

  /// Takes its freshness from it: from then on it answers only if nothing better can be had. The sweeper need not note
  /// that once more.
  mutating func purge(staleFrom instant: Timestamp) {
    freshUntil = min(freshUntil, instant)
    graceUntil = min(graceUntil, instant)
    isPurged = true
    isMarkedExpired = true
  }

  /// The instant at which the sweeper has to do with it next.
  var nextSweep: Timestamp { isMarkedExpired ? keepUntil : min(freshUntil, keepUntil) }
}

// MARK: As a row

extension [UInt8] {
  /// Adds the row of an entry.
  mutating func append(_ entry: borrowing CacheEntry) {
    reserveCapacity(count + 160 + entry.summary.count)
    append(
      (entry.isPresent ? 1 : 0) | (entry.isMarkedExpired ? 2 : 0)
        | (entry.upstreamUpdated == nil ? 0 : 4) | (entry.lastRead == nil ? 0 : 8)
        | (entry.isPurged ? 16 : 0) | UInt8(clamping: entry.summaryForm.rawValue & 3) << 5)
    append(bigEndian: entry.written)
    append(field: entry.fetched.milliseconds)
    append(field: entry.freshUntil.milliseconds)
    append(field: entry.graceUntil.milliseconds)
    append(field: entry.errorGraceUntil.milliseconds)
    append(field: entry.keepUntil.milliseconds)
    append(field: entry.upstreamUpdated?.milliseconds ?? 0)
    append(field: entry.amounts)
    append(bigEndian: entry.hits)
    append(field: entry.lastRead?.milliseconds ?? 0)
    append(field: entry.bodyBytes)
    append(UInt8(entry.digest.count))
    append(contentsOf: entry.digest)
    append(contentsOf: entry.summary)
  }
}

extension CacheEntry {
  /// Nil if key or row are not what is written.
  init?(key: RawSpan, row: RawSpan) {
    let length = key.byteCount - CacheKey.contentSetSize - 1
    guard length > 0, let resource = key.utf8String(in: 0..<length) else { return nil }
    self.init(
      resource: resource, contentSet: key.bigEndianUInt64(at: length + 1), row: row)
  }

  private init?(resource: String, contentSet: UInt64, row: RawSpan) {
    self.resource = ResourceKey(stored: resource)
    self.contentSet = contentSet
    var field = RowOffset()
    let flags = field.byte(row)
    isPresent = flags & 1 != 0
    isMarkedExpired = flags & 2 != 0
    isPurged = flags & 16 != 0
    summaryForm = SummaryForm(rawValue: Int(flags >> 5 & 3)) ?? .public
    written = field.unsigned(row)
    fetched = Timestamp(milliseconds: field.signed(row))
    freshUntil = Timestamp(milliseconds: field.signed(row))
    graceUntil = Timestamp(milliseconds: field.signed(row))
    errorGraceUntil = Timestamp(milliseconds: field.signed(row))
    keepUntil = Timestamp(milliseconds: field.signed(row))
    let updated = Timestamp(milliseconds: field.signed(row))
    upstreamUpdated = flags & 4 == 0 ? nil : updated
    amounts = field.amounts(row)
    hits = field.unsigned(row)
    let read = Timestamp(milliseconds: field.signed(row))
    lastRead = flags & 8 == 0 ? nil : read
    bodyBytes = field.signed(row)
    let digestLength = Int(field.byte(row))
    digest = field.bytes(digestLength, row)
    summary = field.rest(row)
    guard field.isSound else { return nil }
  }
}
