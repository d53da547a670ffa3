import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

/// A generated history on its way into a log.
struct History {
  var generator: EventGenerator
  private var random: SeededGenerator
  private let time = ManualTime()
  private let hasJumps: Bool

  var clock: TimeSource { time.source }

  /// Every third history has amounts whose sums wrap around.
  ///
  /// - Parameter hasJumps: whether the clock is set ahead and back now and then.
  init(seed: UInt64, formats: EventGenerator.Formats = .mixed, hasJumps: Bool = false) {
    self.hasJumps = hasJumps
    generator = EventGenerator(
      seed: seed, formats: formats, hasHugeAmounts: seed.isMultiple(of: 3))
    random = SeededGenerator(seed: ~seed)
  }

  /// Some decisions of one instant, which is up to twenty minutes after the one before.
  mutating func nextGroup(upTo size: Int) -> [EventGenerator.Step] {
    time.advance(byMilliseconds: random.int64(0...1_200_000))
    if hasJumps, random.chance(5) {
      time.setWallClock(to: time.now.advanced(byMilliseconds: random.clockJump()))
    }
    return (0..<random.int(1...size)).map { _ in generator.next(at: time.now) }
  }

  /// Appends that many events, in commits and decisions of random sizes.
  mutating func append(_ count: UInt64, to log: EventLog) async throws {
    let end = generator.head + count
    while generator.head < end {
      let steps = nextGroup(upTo: 12)
      // What is pruned in one decision must not be written before in the same.
      if random.chance(70), steps.allSatisfy(\.prunedBodies.isEmpty) {
        // One decision with the events of all.
        try await log.append(steps.flatMap(\.events), bodies: steps.flatMap(\.bodies))
      } else {
        let results = await log.decideTogether(
          steps.map { step in
            { _, _ in
              Decision(
                events: step.events, bodies: step.bodies, prunedBodies: step.prunedBodies,
                answer: ())
            }
          })
        for result in results { _ = try result.get() }
      }
    }
  }
}
