/// The picture of a product's histories that `/graphimage` draws: one stepped line per history
/// over a grid. It bears no letters.
struct KeepaGraph: Sendable, Equatable {
  /// A line that can be switched on.
  struct Line: Sendable, Equatable {
    /// The parameter that switches it.
    let name: String
    /// The parameter that colours it.
    let colorName: String
    let type: HistoryType
    let color: UInt32
  }

  /// Keepa's switches (fact sheet, section 5); colours are the simulator's own.
  static let lines = [
    Line(name: "amazon", colorName: "cAmazon", type: .amazon, color: 0xffa500),
    Line(name: "new", colorName: "cNew", type: .new, color: 0x8888dd),
    Line(name: "used", colorName: "cUsed", type: .used, color: 0x444444),
    Line(name: "salesrank", colorName: "cSales", type: .sales, color: 0x8fbc8f),
    Line(name: "bb", colorName: "cBB", type: .buyBoxShipping, color: 0xff00b4),
    Line(name: "bbu", colorName: "cBBU", type: .buyBoxUsedShipping, color: 0xda66ff),
    Line(name: "fba", colorName: "cFBA", type: .newFBA, color: 0xff5722),
    Line(name: "fbm", colorName: "cFBM", type: .newFBMShipping, color: 0x039be5),
    Line(name: "ld", colorName: "cLD", type: .lightningDeal, color: 0xd32f2f),
    Line(name: "wd", colorName: "cWD", type: .warehouse, color: 0x9c27b0),
    Line(name: "pe", colorName: "cPE", type: .primeExclusive, color: 0x008c95),
  ]

  let asin: String
  let domain: Int
  let width: Int
  let height: Int
  /// Days up to the minute of the picture.
  let days: Int
  /// Lets the prices fill the height instead of beginning at nothing.
  let zooms: Bool
  let background: UInt32
  /// What is drawn.
  let shown: [Line]

  /// A line's value in every column; -1 where there is none.
  private struct Curve {
    let color: UInt8
    let isRank: Bool
    let values: [Int]
  }

  /// The picture as it is at a Keepa minute.
  func image(at minute: Int) -> PNGImage {
    let palette = [background, 0xdddddd, 0x999999] + shown.map(\.color)
    var image = PNGImage(width: width, height: height, palette: palette.map(PNGImage.Color.init))
    for column in 0..<width {
      for tenth in 1..<10 { image.paint(column, height * tenth / 10, 1) }
      image.paint(column, 0, 2)
      image.paint(column, height - 1, 2)
    }
    for row in 0..<height {
      image.paint(0, row, 2)
      image.paint(width - 1, row, 2)
    }
    guard !ProductDocument.isUnknown(asin: asin) else { return image }
    let curves = curves(at: minute)
    for isRank in [true, false] { draw(curves.filter { $0.isRank == isRank }, on: &image) }
    return image
  }

  private func curves(at minute: Int) -> [Curve] {
    let profile = ProductProfile(asin: asin, domain: domain)
    let histories = ProductHistories(profile: profile, lastUpdate: minute)
    return shown.enumerated().compactMap { place, line in
      guard let flat = histories.history(line.type) else { return nil }
      var values: [Int] = []
      values.reserveCapacity(width)
      let start = minute - days * 1440
      var index = 0
      for column in 0..<width {
        let time = start + days * 1440 * (column + 1) / width
        while index + line.type.stride < flat.count, flat[index + line.type.stride] <= time {
          index += line.type.stride
        }
        values.append(
          flat[index] > time
            ? -1 : ProductStats.value(flat, at: index, stride: line.type.stride))
      }
      return Curve(color: UInt8(3 + place), isRank: line.type == .sales, values: values)
    }
  }

  /// Draws curves that share a scale.
  private func draw(_ curves: [Curve], on image: inout PNGImage) {
    let values = curves.flatMap(\.values).filter { $0 >= 0 }
    guard let largest = values.max(), let smallest = values.min() else { return }
    let floor = zooms ? smallest : 0
    let span = max(1, largest - floor)
    for curve in curves {
      var before: Int?
      for (column, value) in curve.values.enumerated() {
        guard value >= 0 else {
          before = nil
          continue
        }
        let row = (height - 3) - (height - 6) * (value - floor) / span
        for between in min(before ?? row, row)...max(before ?? row, row) {
          image.paint(column, between, curve.color)
        }
        before = row
      }
    }
  }
}

/// Which pictures were drawn when: one that was asked for before comes again, and free.
struct KeepaGraphCopies: Sendable {
  private var drawn: [String: Int] = [:]

  /// How long a picture comes again, in minutes (fact sheet, section 5).
  static let keep = 90

  /// The minute of the picture that a request gets, and whether it is drawn anew.
  mutating func serve(_ request: String, at minute: Int) -> (minute: Int, isNew: Bool) {
    if let last = drawn[request], minute - last < Self.keep { return (last, false) }
    drawn = drawn.filter { minute - $0.value < Self.keep }
    drawn[request] = minute
    return (minute, true)
  }
}
