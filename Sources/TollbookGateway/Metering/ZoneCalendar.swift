import Foundation
import Synchronization
import TollbookEvents

/// When the days of a time zone begin. Days are numbered from 1970-01-01.
///
/// The starts of days that were asked for are remembered, for all who ask for the zone: a decision over budgets asks for
/// those of today again and again, and the rules of a zone are slow to read.
struct ZoneCalendar: Hashable, Sendable {
  private static let millisecondsPerDay: Int64 = 86_400_000
  /// No zone is so far from UTC, in milliseconds.
  private static let farthest: Int64 = 26 * 3_600_000

  let zone: String
  private let known: KnownZone

  init?(zone: String) {
    guard let known = KnownZone.named(zone) else { return nil }
    self.zone = zone
    self.known = known
  }

  static func == (one: ZoneCalendar, other: ZoneCalendar) -> Bool { one.zone == other.zone }

  func hash(into hasher: inout Hasher) { hasher.combine(zone) }

  /// Such as `2026-11-21`.
  static func text(ofDay day: Int64) -> String {
    Timestamp(milliseconds: day * millisecondsPerDay).day
  }

  static func dayOfMonth(_ day: Int64) -> Int64 { Int64(text(ofDay: day).suffix(2)) ?? 1 }

  /// The day of an instant. An hour that comes twice, since clocks were set back over midnight, is of the later day.
  func day(of time: Timestamp) -> Int64 {
    // In all zones the day is that of UTC or a neighbour: from there on the remembered starts tell.
    var day = time.step(of: Self.millisecondsPerDay)
    while start(ofDay: day) > time { day -= 1 }
    while start(ofDay: day + 1) <= time { day += 1 }
    return day
  }

  /// The first instant that is of the day or of a later one: midnight, or where the clocks left midnight out, when they
  /// did.
  func start(ofDay day: Int64) -> Timestamp {
    known.start(ofDay: day) { zone in Self.instant(of: day * Self.millisecondsPerDay, in: zone) }
  }

  /// When clocks of the zone show a time of a day: the first time where they show it twice, and the first instant after
  /// the gap where they leave it out.
  ///
  /// - Parameter time: milliseconds after midnight, as clocks show them.
  func instant(ofDay day: Int64, at time: Int64) -> Timestamp {
    known.reading { zone in Self.instant(of: day * Self.millisecondsPerDay + time, in: zone) }
  }

  /// - Parameter local: what clocks show, as if it were UTC.
  private static func instant(of local: Int64, in zone: TimeZone) -> Timestamp {
    var before = local - farthest
    var after = local + farthest
    let offset = zone.offset(at: before)
    let usual = local - offset
    guard offset != zone.offset(at: after) else { return Timestamp(milliseconds: usual) }
    // The clocks were changed near: when, to the second.
    while after - before > 1_000 {
      let middle = (before + (after - before) / 2) / 1_000 * 1_000
      if zone.offset(at: middle) == offset { before = middle } else { after = middle }
    }
    if usual < after { return Timestamp(milliseconds: usual) }
    return Timestamp(milliseconds: max(after, local - zone.offset(at: after)))
  }
}

extension TimeZone {
  /// How far the zone is ahead of UTC, in milliseconds.
  fileprivate func offset(at milliseconds: Int64) -> Int64 {
    Int64(secondsFromGMT(for: Date(timeIntervalSince1970: Double(milliseconds) / 1_000))) * 1_000
  }
}

/// The rules of a zone and the starts of days that were asked for.
private final class KnownZone: Sendable {
  /// More zones or days than anybody uses at a time; beyond it is forgotten what there was.
  private static let most = 1_024
  private static let all = Mutex<[String: KnownZone]>([:])

  private let zone: TimeZone
  private let starts = Mutex<[Int64: Timestamp]>([:])

  private init(_ zone: TimeZone) { self.zone = zone }

  /// Nil if there is no zone of that name.
  static func named(_ name: String) -> KnownZone? {
    all.withLock { all in
      if let known = all[name] { return known }
      guard let zone = TimeZone(identifier: name) else { return nil }
      if all.count >= most { all = [:] }
      let known = KnownZone(zone)
      all[name] = known
      return known
    }
  }

  func reading(_ find: (TimeZone) -> Timestamp) -> Timestamp { find(zone) }

  func start(ofDay day: Int64, _ find: (TimeZone) -> Timestamp) -> Timestamp {
    starts.withLock { starts in
      if let start = starts[day] { return start }
      if starts.count >= Self.most { starts = [:] }
      let start = find(zone)
      starts[day] = start
      return start
    }
  }
}
