/// The size of an image in pixels.
struct PixelSize: Equatable {
  var width: Int
  var height: Int

  /// Throws unless the sides and the area are within limits.
  func check(_ kind: DocumentKind, _ limits: DocumentLimits) throws(DocumentFault) {
    let (area, overflow) = width.multipliedReportingOverflow(by: height)
    guard width <= limits.side, height <= limits.side, !overflow, area <= limits.pixels else {
      throw .tooLarge(
        kind, width: width, height: height, side: limits.side, pixels: limits.pixels)
    }
  }
}

extension [UInt8] {
  /// The number in the `length` bytes from `position`, most significant first; nil if they are not all there.
  ///
  /// - Parameter length: At most 7, so that it fits.
  func bigEndian(_ length: Int, at position: Int) -> Int? {
    guard position >= 0, position <= count - length else { return nil }
    return self[position..<position + length].reduce(0) { $0 << 8 | Int($1) }
  }

  /// The number in the `length` bytes from `position`, least significant first; nil if they are not all there.
  func littleEndian(_ length: Int, at position: Int) -> Int? {
    guard position >= 0, position <= count - length else { return nil }
    return self[position..<position + length].reversed().reduce(0) { $0 << 8 | Int($1) }
  }
}
