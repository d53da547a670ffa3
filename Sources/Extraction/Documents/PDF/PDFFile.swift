/// The bytes of a PDF and the work that they may still make.
struct PDFFile {
  let bytes: [UInt8]
  var work: PDFWork
  /// From here on there is no `endstream`, so that nobody needs to look for one again.
  private var noEndFrom = Int.max
  /// Object streams that are kept, by where their data begins; nil for what cannot be read.
  private var objectStreams: [Int: PDFObjectStream?] = [:]

  init(_ bytes: [UInt8], limits: DocumentLimits) {
    self.bytes = bytes
    work = PDFWork(limits, fileLength: bytes.count)
  }

  // MARK: - Streams

  /// Where the data of a stream stands.
  ///
  /// - Parameters:
  ///   - position: Right after the keyword `stream`.
  ///   - length: What the dictionary says, if it says it directly. It is believed if `endstream` follows; else the
  ///     next `endstream` ends the data.
  /// - Returns: Nil if no `endstream` follows.
  mutating func streamData(after position: Int, length: Int?) -> Range<Int>? {
    var start = position
    if start < bytes.count, bytes[start] == 0x0d { start += 1 }
    if start < bytes.count, bytes[start] == 0x0a { start += 1 }
    if let length, length >= 0, length <= bytes.count - start {
      var end = start + length
      while end < min(start + length + 4, bytes.count), bytes[end].isPDFSpace { end += 1 }
      if bytes[end...].starts(with: Self.endMark) { return start..<start + length }
    }
    guard let end = endMark(from: start) else { return nil }
    return start..<end
  }

  private static let endMark = Array("endstream".utf8)

  private mutating func endMark(from start: Int) -> Int? {
    if start >= noEndFrom { return nil }
    let mark = Self.endMark
    var index = start
    while index <= bytes.count - mark.count {
      // The last byte decides how far the mark can be moved on (Horspool 1980).
      let last = bytes[index + mark.count - 1]
      if last == mark[mark.count - 1], bytes[index...].starts(with: mark) { return index }
      let again = mark.dropLast().lastIndex(of: last)
      index += mark.count - 1 - (again ?? -1)
    }
    noEndFrom = start
    return nil
  }

  /// The content of a stream: not compressed, or by `FlateDecode` alone. Nil for other filters and what is damaged.
  mutating func content(
    of dictionary: PDFDictionary, in range: Range<Int>
  ) throws(DocumentFault) -> [UInt8]? {
    switch single(dictionary[.filter]) {
    case .none: return Array(bytes[range])
    case .name("FlateDecode"): break
    default: return nil
    }
    guard let content = try work.inflate(bytes, in: range) else { return nil }
    guard case .dictionary(let parameters)? = single(dictionary[.parameters]) else {
      return content
    }
    var lexer = PDFLexer(bytes, in: parameters)
    let values = lexer.dictionary()
    switch values.integer(.predictor) ?? 1 {
    case 1: return content
    case 10...: return PDFPredictor(values)?.undo(content)
    default: return nil
    }
  }

  /// A value that may stand in an array of its own; nil for an empty one. An array of more is `other`.
  private func single(_ value: PDFValue?) -> PDFValue? {
    guard case .array(let range)? = value else { return value }
    var lexer = PDFLexer(bytes, in: range)
    guard let first = lexer.value() else { return nil }
    return lexer.value() == nil ? first : .other
  }

  // MARK: - Object streams

  /// An object stream; nil if it cannot be read. One that is kept is inflated once.
  mutating func objectStream(
    _ dictionary: PDFDictionary, in range: Range<Int>, keeping: Bool
  ) throws(DocumentFault) -> PDFObjectStream? {
    if let known = objectStreams[range.lowerBound] { return known }
    let content = try content(of: dictionary, in: range)
    let stream = content.flatMap { PDFObjectStream(dictionary, content: $0) }
    if keeping { objectStreams[range.lowerBound] = .some(stream) }
    return stream
  }
}
