private import Deflate
package import JSONText

/// The fields of a photo that stand, as JSON, in the points of the picture's last rows: what a model sees in the
/// drawing.
///
/// They stand in the picture and not beside it, since whatever lies beside a picture is taken out of its file before it
/// is sent on. Each byte is two points, each of one of sixteen greys: a mark of four bytes, the length in two, and the
/// JSON.
package enum PhotoSidecar {
  /// The first colours of the palette: what half a byte looks like.
  static let greys = (0..<16).map { PNGImage.Color(UInt32($0) * 0x11_1111) }

  private static let mark = Array("TBPH".utf8)
  /// Rows at the bottom that hold it.
  private static let rows = 20
  /// The largest picture that is looked at, in points.
  private static let mostPoints = 1 << 22

  /// Writes the fields into a picture whose palette begins with ``greys``. What does not fit is left out as a whole.
  static func hide(_ json: [UInt8], in image: inout PNGImage) {
    let bytes =
      mark + [UInt8(truncatingIfNeeded: json.count >> 8), UInt8(truncatingIfNeeded: json.count)]
      + json
    guard json.count <= 0xffff, 2 * bytes.count <= rows * image.width, rows <= image.height else {
      return
    }
    for (index, half) in bytes.flatMap({ [$0 >> 4, $0 & 0x0f] }).enumerated() {
      image.paint(index % image.width, image.height - rows + index / image.width, half)
    }
  }

  /// The fields that a PNG of ``PhotoDrawing`` carries; nil if it carries none or they are not a JSON object.
  package static func fields(in bytes: [UInt8]) -> JSONValue? {
    guard let points = lastRows(of: bytes) else { return nil }
    var hidden: [UInt8] = []
    for pair in stride(from: 0, to: points.count - 1, by: 2) {
      guard points[pair] < 16, points[pair + 1] < 16 else { break }
      hidden.append(points[pair] << 4 | points[pair + 1])
    }
    guard hidden.starts(with: mark), hidden.count >= 6 else { return nil }
    let length = Int(hidden[4]) << 8 | Int(hidden[5])
    guard hidden.count >= 6 + length,
      let root =
        (try? JSONDocument(
          Array(hidden[6..<6 + length]), maximumDepth: 8, maximumValues: 1_000))?.root,
      root.kind == .object
    else { return nil }
    return root
  }

  /// The points of the last rows of a picture as ``PNGImage`` writes it; nil for any other one.
  private static func lastRows(of bytes: [UInt8]) -> [UInt8]? {
    guard bytes.starts(with: PNGImage.signature) else { return nil }
    var at = PNGImage.signature.count
    var size: (width: Int, height: Int)?
    while at + 12 <= bytes.count {
      let length = bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= bytes.count - at - 12 else { return nil }
      let content = at + 8..<at + 8 + length
      switch String(decoding: bytes[at + 4..<at + 8], as: UTF8.self) {
      case "IHDR":
        // Eight bits per point, and a palette.
        guard length == 13, bytes[content.lowerBound + 8] == 8, bytes[content.lowerBound + 9] == 3
        else { return nil }
        let width = bytes[content].prefix(4).reduce(0) { $0 << 8 | Int($1) }
        let height = bytes[content].dropFirst(4).prefix(4).reduce(0) { $0 << 8 | Int($1) }
        guard width > 0, height >= rows, width <= mostPoints, height <= mostPoints,
          (width + 1) * height <= mostPoints
        else { return nil }
        size = (width, height)
      case "IDAT":
        guard let size,
          let lines = try? inflateZlib(
            bytes, in: content, maximumLength: (size.width + 1) * size.height),
          lines.count == (size.width + 1) * size.height
        else { return nil }
        // Each line begins with the number of its filter.
        return (size.height - rows..<size.height).flatMap { row in
          lines[row * (size.width + 1) + 1..<(row + 1) * (size.width + 1)]
        }
      default: break
      }
      at += 12 + length
    }
    return nil
  }
}
