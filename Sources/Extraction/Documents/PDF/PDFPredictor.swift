/// The filter of PNG, applied to rows of bytes before they were compressed. Source: ISO 32000-1, section 7.4.4.4 and
/// table 8; PNG (W3C), section 9.
struct PDFPredictor {
  private let rowBytes: Int
  /// How many bytes to the left the neighbour is.
  private let step: Int

  /// - Parameter parameters: The `DecodeParms` of a stream with a `Predictor` of 10 and more.
  /// - Returns: Nil if they are no sound numbers.
  init?(_ parameters: PDFDictionary) {
    let columns = parameters.integer(.columns) ?? 1
    let colors = parameters.integer(.colors) ?? 1
    let bits = parameters.integer(.bits) ?? 8
    guard 1...(1 << 20) ~= columns, 1...64 ~= colors, [1, 2, 4, 8, 16].contains(bits) else {
      return nil
    }
    rowBytes = (columns * colors * bits + 7) / 8
    step = max(1, colors * bits / 8)
  }

  /// The rows as they were before. Each begins with a byte for its filter, 0 to 4. A last row that is not whole is
  /// left out. Nil for an unknown filter.
  func undo(_ bytes: [UInt8]) -> [UInt8]? {
    let rows = bytes.count / (rowBytes + 1)
    var output: [UInt8] = []
    output.reserveCapacity(rows * rowBytes)
    for row in 0..<rows {
      let start = row * (rowBytes + 1)
      let filter = bytes[start]
      for column in 0..<rowBytes {
        let left = column >= step ? output[output.count - step] : 0
        let above = row > 0 ? output[output.count - rowBytes] : 0
        let corner = row > 0 && column >= step ? output[output.count - rowBytes - step] : 0
        let prediction: UInt8
        switch filter {
        case 0: prediction = 0
        case 1: prediction = left
        case 2: prediction = above
        case 3: prediction = UInt8((Int(left) + Int(above)) / 2)
        case 4: prediction = Self.paeth(left, above, corner)
        default: return nil
        }
        output.append(bytes[start + 1 + column] &+ prediction)
      }
    }
    return output
  }

  /// Whichever of the three is nearest to left + above − corner.
  private static func paeth(_ left: UInt8, _ above: UInt8, _ corner: UInt8) -> UInt8 {
    let estimate = Int(left) + Int(above) - Int(corner)
    let distances = [left, above, corner].map { abs(estimate - Int($0)) }
    if distances[0] <= distances[1], distances[0] <= distances[2] { return left }
    return distances[1] <= distances[2] ? above : corner
  }
}
