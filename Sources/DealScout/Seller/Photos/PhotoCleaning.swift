import Extraction

/// Takes out of a picture's file whatever is no part of the picture: where and when it was taken, by which device and
/// by whom, words about it, small copies of it, and what hangs on behind its end.
///
/// Nothing is decoded or encoded anew: the parts of the file that stay are copied byte by byte. Of each format there is
/// a list of what stays, so that a part that nobody knows goes too.
enum PhotoCleaning {
  /// - Parameter kind: what the bytes are.
  /// - Returns: at most ``mostAdded`` bytes more than before. Cleaned again it stays the same.
  /// - Complexity: Linear in the length of the file.
  static func cleaned(_ bytes: [UInt8], _ kind: DocumentKind) throws(PhotoFault) -> [UInt8] {
    switch kind {
    case .jpeg: try JPEGCleaning.cleaned(bytes)
    case .png: try PNGCleaning.cleaned(bytes)
    case .webp: try WebPCleaning.cleaned(bytes)
    case .pdf: throw PhotoFault(.noPicture(kind))
    }
  }

  /// How a JPEG is to be turned is written anew, in so many bytes.
  static let mostAdded = JPEGOrientation.segmentBytes
}

extension ArraySlice<UInt8> {
  /// The number in the first `length` bytes, most significant first; nil if they are not all there.
  ///
  /// - Parameter length: at most 7, so that it fits.
  func bigEndian(_ length: Int) -> Int? {
    guard count >= length else { return nil }
    return prefix(length).reduce(0) { $0 << 8 | Int($1) }
  }

  /// The number in the first `length` bytes, least significant first; nil if they are not all there.
  func littleEndian(_ length: Int) -> Int? {
    guard count >= length else { return nil }
    return prefix(length).reversed().reduce(0) { $0 << 8 | Int($1) }
  }
}
