import Bytes
import TollbookArchive
import TollbookEvents
import TollbookLog

// What is reserved for an attempt is held and perhaps spent: a process that was killed meanwhile says nothing more of it
// until the next one puts it in doubt. It counts with the attempt's begin, as a doubt counts with its own, and no longer
// once the attempt has ended. One that began before the range is none of the range's.

extension AuditFold {
  // MARK: Begin

  /// A move of a `FetchStarted`.
  mutating func reserved(_ move: MoveFields, _ meter: AuditMeter, _ record: RawSpan) {
    guard !move.isLimitOnly, !options.parkedByLedger.contains(position) else { return }
    let part = AuditReservation.Part(
      meter: meter, window: names.number(of: move.window, in: record), amount: move.amount)
    add(part, attempt: 1, of: position, record)
  }

  /// A `FetchAttemptFailed` that reserves for the next attempt.
  mutating func reservedAgain(_ record: RawSpan) throws(LogError) {
    guard !options.parkedByLedger.contains(position) else { return }
    let event = try decoded(record, at: position).event
    for posting in event.postings(at: position) where !posting.isLimitOnly {
      guard case .reserved(let amount) = posting.change else { continue }
      let part = AuditReservation.Part(
        meter: meter(posting.page), window: names.number(of: posting.page.window), amount: amount)
      add(part, attempt: posting.attempt, of: posting.fetch, record)
    }
  }

  private mutating func add(
    _ part: AuditReservation.Part, attempt: UInt32, of fetch: Position, _ record: RawSpan
  ) {
    let key = AttemptKey(fetch: fetch, attempt: attempt)
    if reservations[key] == nil {
      reservations[key] = AuditReservation(
        record: record.bytes(in: 0..<record.byteCount), position: position, wall: wall,
        parts: ShortList(part))
    } else {
      reservations[key]?.parts.append(part)
    }
  }

  // MARK: End

  /// A move of a `TokensCharged`: of the reservation it may end a part.
  mutating func reservationEnded(
    _ event: ChargedFields, _ move: MoveFields, _ meter: AuditMeter, _ record: RawSpan
  ) {
    guard !reservations.isEmpty else { return }
    end(
      AttemptKey(fetch: event.fetch, attempt: event.attempt), meter,
      window: names.number(of: move.window, in: record),
      // One of format 1 ends all that is held.
      amount: event.tellsUse ? move.reserved : .max)
  }

  /// The postings of a release or a doubt.
  mutating func reservationEnded(_ postings: [Posting]) {
    guard !reservations.isEmpty else { return }
    for posting in postings {
      end(
        AttemptKey(fetch: posting.fetch, attempt: posting.attempt), meter(posting.page),
        window: names.number(of: posting.page.window), amount: .max)
    }
  }

  private mutating func end(
    _ key: AttemptKey, _ meter: AuditMeter, window: Int, amount: Int64
  ) {
    guard let parts = reservations[key]?.parts,
      let place = parts.firstIndex(where: { $0.meter == meter && $0.window == window })
    else { return }
    reservations[key]?.parts[place].amount -= min(amount, parts[place].amount)
    if reservations[key]?.isOver == true { reservations[key] = nil }
  }

  // MARK: What is left

  /// Counts what is reserved at the end of what is known.
  mutating func countReservations() throws(LogError) {
    for (key, reservation) in reservations.sorted(by: { $0.key.fetch < $1.key.fetch }) {
      let began = try reservation.record.withRawSpan { (record) throws(LogError) in
        try decoded(record, at: reservation.position)
      }
      guard let told = began.postings.first else { continue }
      let origin = AuditOrigin(
        time: reservation.wall, payers: payers(told.payers),
        operation: names.number(of: told.operation))
      for part in reservation.parts where part.amount > 0 {
        post(part.amount, to: \.reserved, .reserved, origin, part.meter, fetch: key.fetch)
      }
    }
    reservations = [:]
  }

  private func decoded(
    _ record: RawSpan, at position: Position
  ) throws(LogError) -> RecordedEvent {
    do throws(Damage) { return try Record.decoding(record, at: position) } catch {
      throw .damaged(error)
    }
  }
}
