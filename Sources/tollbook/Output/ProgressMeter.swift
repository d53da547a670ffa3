import Foundation
import TollbookEvents

/// How far a long command is, on one line of a terminal: position, rate and time left. Shows nothing on a pipe.
///
/// ```swift
/// var meter = ProgressMeter(unit: "events")
/// defer { meter.end() }
/// … meter.show(done: position, of: head) …
/// ```
struct ProgressMeter {
  /// Between two showings: people do not read faster, and terminals are slow.
  private static let pause = Duration.milliseconds(100)

  private let unit: String
  /// What is being done, such as `bodies`; may change on the way.
  private var stage: String?
  private let isShown: Bool
  private var start: ContinuousClock.Instant
  private var firstDone: UInt64?
  private var last: ContinuousClock.Instant?

  /// - Parameters:
  ///   - unit: what is counted, in the plural.
  ///   - isShown: whether there is anybody to see it.
  init(unit: String, isShown: Bool = Console.isErrorTerminal) {
    self.unit = unit
    self.isShown = isShown
    start = .now
  }

  /// Begins another stage, with a rate of its own.
  mutating func begin(_ stage: String) {
    guard isShown, stage != self.stage else { return }
    self.stage = stage
    start = .now
    firstDone = nil
    last = nil
  }

  /// Shows how far it is, unless that was shown a moment ago.
  ///
  /// - Parameter total: 0 if that is not known.
  mutating func show(done: UInt64, of total: UInt64 = 0) {
    guard isShown else { return }
    let now = ContinuousClock.now
    let before = firstDone ?? done
    firstDone = before
    if let last, now - last < Self.pause { return }
    last = now
    let line = Self.line(
      unit: unit, done: done, total: total, since: before, seconds: (now - start).seconds)
    Console.progress(stage.map { "\($0): \(line)" } ?? line)
  }

  /// Takes the line away.
  mutating func end() {
    guard isShown, last != nil else { return }
    last = nil
    Console.endProgress()
  }

  /// Such as `1,200 of 5,000 events, 400/s, 9 s left`.
  ///
  /// - Parameters:
  ///   - first: what was done when the clock began.
  ///   - seconds: how long it took from there.
  static func line(
    unit: String, done: UInt64, total: UInt64, since first: UInt64, seconds: Double
  ) -> String {
    var line = total > 0 ? "\(done.grouped) of \(total.grouped) \(unit)" : "\(done.grouped) \(unit)"
    // What is told before a second has passed is a guess.
    guard seconds >= 1, done > first else { return line }
    let rate = Double(done - first) / seconds
    line += ", \(UInt64(max(1, rate)).grouped)/s"
    if total > done { line += ", \(duration(Double(total - done) / rate)) left" }
    return line
  }

  /// Such as `9 s`, `4 min` or `2 h 5 min`.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 360_000 else { return "days" }
    let whole = Int(seconds.rounded(.up))
    if whole < 100 { return "\(whole) s" }
    let minutes = (whole + 30) / 60
    if minutes < 100 { return "\(minutes) min" }
    return "\(minutes / 60) h \(minutes % 60) min"
  }
}
