import Market
import Testing
import TollbookTestSupport

@Suite struct VolumeTests {
  private func candles(_ volumes: [Double]) -> [CandleFigures] {
    volumes.enumerated().map { .sample($0, close: 100, volume: $1) }
  }

  @Test func `a candle is held against those before it and not against itself`() {
    let series = RelativeVolume.series([8, 12, 40, 5], window: 2)
    #expect(series.map(\.relative) == [nil, nil, 4, 5.0 / 26])
    // Mean 10 and deviation 2; mean 26 and deviation 14.
    #expect(series.map(\.zScore) == [nil, nil, 15, -1.5])
  }

  @Test func `before equal volumes there is no z-score, however often they come`() {
    let volumes = Array(repeating: 0.1, count: 47) + [0.3]
    let series = RelativeVolume.series(volumes, window: 20)
    #expect(series.allSatisfy { $0.zScore == nil })
    #expect(isClose(series.last?.relative, 3))
    #expect(series[20..<47].allSatisfy { $0.relative == 1 })
  }

  @Test func `before candles without volume there is no relative volume`() {
    let spikes = VolumeSpikes(candles(Array(repeating: 0, count: 20) + [7]))
    #expect(spikes.relative == nil)
    #expect(spikes.zScore == nil)
    #expect(spikes.isSpike == nil)
    #expect(spikes.spikes.isEmpty)
  }

  @Test func `too few candles and windows below 1 tell nothing`() {
    for window in [0, -1, .min, .max, 3] {
      let series = RelativeVolume.series([1, 2, 3], window: window)
      #expect(series.count == 3)
      #expect(series.allSatisfy { $0.relative == nil && $0.zScore == nil }, "\(window)")
      #expect(VolumeSpikes(candles([1, 2, 3]), window: window).isSpike == nil, "\(window)")
    }
    #expect(RelativeVolume.series([], window: 20).isEmpty)
    #expect(VolumeSpikes([]).isSpike == nil)
    #expect(VolumeSpikes(candles([1, 2, 3]), window: 2).isSpike == false)
  }

  @Test func `a window of 1 is the candle before`() {
    let series = RelativeVolume.series([2, 6, 3], window: 1)
    #expect(series.map(\.relative) == [nil, 3, 0.5])
    #expect(series.allSatisfy { $0.zScore == nil })
  }

  @Test func `exactly the threshold is a spike, and the rule says so`() {
    let volumes = candles([10, 10, 30, 10, 10, 29.9, 10, 10, 30])
    let spikes = VolumeSpikes(volumes, window: 2, threshold: 3)
    #expect(spikes.isSpike == true)
    #expect(spikes.relative == 3)
    #expect(spikes.spikes.map(\.openTime) == [volumes[2].openTime, volumes[8].openTime])
    #expect(spikes.spikes.map(\.relative) == [3, 3])
    #expect(
      spikes.rule
        == "a candle spikes if its volume is at least 3.0 times the mean volume of the 2 candles "
        + "before it, itself not counted")
  }

  @Test func `what does not fit a number is none`() {
    let huge = Double.greatestFiniteMagnitude
    let series = RelativeVolume.series([huge, 0, huge, 1e-300, 1e-300, huge], window: 2)
    #expect(series[5].relative == nil)
    #expect(series.allSatisfy { $0.relative?.isFinite ?? true })
    #expect(series.allSatisfy { $0.zScore?.isFinite ?? true })
    // The mean itself does not fit.
    let odd = RelativeVolume.series([-huge, huge, 1], window: 2)
    #expect(odd[2].relative == nil && odd[2].zScore == nil)
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `both are the formulas by the book`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let volumes = (0..<random.int(1...150)).map { _ in
      random.int(0...9) == 0 ? random.double(100...1_000) : random.double(0...10)
    }
    let window = random.int(2...40)
    let threshold = random.double(1.5...4)
    var spikes: [Double] = []
    let series = RelativeVolume.series(volumes, window: window)
    for (index, volume) in volumes.enumerated() {
      guard index >= window else {
        #expect(series[index].relative == nil && series[index].zScore == nil)
        continue
      }
      let before = volumes[index - window..<index]
      #expect(isClose(series[index].relative, volume / mean(before)))
      #expect(isClose(series[index].zScore, (volume - mean(before)) / deviation(before)))
      if volume >= threshold * mean(before) { spikes.append(volume / mean(before)) }
    }
    let found = VolumeSpikes(candles(volumes), window: window, threshold: threshold)
    #expect(difference(found.spikes.map(\.relative), spikes) == nil)
    #expect(found.relative == series.last?.relative)
    #expect(found.zScore == series.last?.zScore)
    // The unit of the volume does not matter.
    let other = RelativeVolume.series(volumes.map { $0 * 1e-5 }, window: window)
    #expect(difference(other.map(\.relative), series.map(\.relative)) == nil)
    #expect(difference(other.map(\.zScore), series.map(\.zScore), within: 1e-8) == nil)
  }
}
