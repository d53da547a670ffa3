/// What a symbol's price and activity are at a moment: sums of waves that are drawn from its seed.
///
/// A wave has a drawn value at every multiple of its period and goes smoothly from one to the next (value noise). So
/// any moment is computed alone, without what came before. All numbers are whole: every machine gets the same ones.
struct BinanceNoise: Sendable {
  /// One, for heights: 2^20.
  static let one: Int64 = 1 << 20

  let chance: UInt64

  init(_ symbol: BinanceSymbol) { chance = symbol.chance }

  /// A wave: its period in units of time and its height in thousandths.
  private struct Wave {
    let number: UInt64
    let period: Int64
    let height: Int64
  }

  /// Waves of the price, their periods in hours; with the ripple below they reach 390 thousandths.
  private static let priceWaves = [
    Wave(number: 1, period: 1_440, height: 220), Wave(number: 2, period: 216, height: 110),
    Wave(number: 3, period: 25, height: 40), Wave(number: 4, period: 4, height: 15),
  ]
  private static let ripple = Wave(number: 5, period: 1, height: 5)
  private static let activityWave = Wave(number: 6, period: 7, height: 1_000)
  private static let buyingWave = Wave(number: 7, period: 5, height: 1_000)

  /// How far the price is from its middle when an hour begins, in 2^−20 of the middle.
  func price(atHour hour: Int64) -> Int64 {
    Self.priceWaves.reduce(0) { $0 + height(of: $1, at: hour) }
  }

  /// The ripple of the price at a third of an hour, counted from 1970, in 2^−20 of the middle.
  func ripple(atThird third: Int64) -> Int64 { height(of: Self.ripple, at: third) }

  /// How large quantities are in a quarter of an hour, in sixteenths of the usual: from 8 to 24, and in three of a
  /// hundred quarters four to ten times as much.
  func activity(ofQuarter quarter: Int64) -> Int64 {
    let calm = 16 + 8 * height(of: Self.activityWave, at: quarter / 4) / Self.one
    let drawn = draw(8, quarter)
    guard drawn % 100 < 3 else { return calm }
    return calm * (4 + Int64(drawn >> 32) % 7)
  }

  /// How many takers of 1024 buy in an hour: from 300 to 724, more of them while the price rises.
  ///
  /// - Parameter rise: by how much it rises in the hour, in 2^−20 of the middle
  func buyers(ofHour hour: Int64, rise: Int64) -> Int64 {
    let mood = 120 * height(of: Self.buyingWave, at: hour) / Self.one
    return 512 + mood + min(92, max(-92, rise / 128))
  }

  /// Numbers of their own for a purpose and a time.
  func numbers(_ purpose: UInt64, _ time: Int64) -> SeededNumbers {
    SeededNumbers(seed: draw(purpose, time))
  }

  private func draw(_ purpose: UInt64, _ time: Int64) -> UInt64 {
    var numbers = SeededNumbers(
      seed: (chance ^ (purpose << 56)) &+ (UInt64(bitPattern: time) &* 0xd6e8_feb8_6659_fd93))
    return numbers.next()
  }

  /// The height of a wave at a time from 1970 on.
  private func height(of wave: Wave, at time: Int64) -> Int64 {
    let (cell, rest) = time.quotientAndRemainder(dividingBy: wave.period)
    let start = value(of: wave, cell)
    guard rest > 0 else { return start * wave.height / 1_000 }
    let end = value(of: wave, cell + 1)
    // 3x² − 2x³ with x in 2^−16.
    let x = (rest << 16) / wave.period
    let smooth = (x * x * ((3 << 16) - 2 * x)) >> 32
    return (start + ((end - start) * smooth >> 16)) * wave.height / 1_000
  }

  /// What was drawn for a wave at a multiple of its period: from −2^20 up to 2^20.
  private func value(of wave: Wave, _ cell: Int64) -> Int64 {
    Int64(draw(wave.number, cell) >> 43) - Self.one
  }
}
