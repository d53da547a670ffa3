/// Finds objects by their numbers, through the cross-reference.
struct PDFObjects {
  /// A value and the bytes that its ranges are of.
  struct Found {
    var value: PDFValue
    var bytes: [UInt8]
  }

  private(set) var table: PDFCrossReference
  var file: PDFFile
  /// Object streams that were looked for, by their number; nil for one that cannot be read.
  private var packed: [Int: PDFObjectStream?] = [:]

  init(_ file: PDFFile) throws(DocumentFault) {
    self.file = file
    table = try PDFCrossReference(&self.file)
  }

  /// The value of an object; nil if it is not where the cross-reference says.
  mutating func value(of number: Int) throws(DocumentFault) -> Found? {
    let start: (bytes: [UInt8], position: Int)
    switch table.entry(of: number) {
    case .offset(let offset):
      guard let position = try position(of: number, at: offset) else { return nil }
      start = (file.bytes, position)
    case .packed(let stream, let index):
      guard let packed = try objects(of: stream) else { return nil }
      var position = packed.position(of: number, at: index)
      if position == nil {
        try file.work.spend(packed.count)
        position = packed.position(of: number)
      }
      guard let position else { return nil }
      start = (packed.content, position)
    case .free, nil: return nil
    }
    var lexer = PDFLexer(start.bytes, at: start.position)
    let value = lexer.value()
    try file.work.spend(lexer.position - start.position + lexer.wasted)
    return value.map { Found(value: $0, bytes: start.bytes) }
  }

  /// A dictionary that was found.
  mutating func dictionary(_ found: Found?) throws(DocumentFault) -> PDFDictionary? {
    guard let found, case .dictionary(let range) = found.value else { return nil }
    var lexer = PDFLexer(found.bytes, in: range)
    try file.work.spend(range.count)
    return lexer.dictionary()
  }

  /// After `12 0 obj` at an offset, if that is there.
  private mutating func position(
    of number: Int, at offset: Int
  ) throws(DocumentFault) -> Int? {
    guard 0..<file.bytes.count ~= offset else { return nil }
    var lexer = PDFLexer(file.bytes, at: offset + table.base)
    let start = lexer.position
    let isThere: Bool
    if lexer.next(readingStrings: false) == .integer(number),
      case .integer = lexer.next(readingStrings: false)
    {
      isThere = lexer.next(readingStrings: false) == .keyword(.obj)
    } else {
      isThere = false
    }
    try file.work.spend(lexer.position - start)
    return isThere ? lexer.position : nil
  }

  /// The objects of an object stream; nil if it cannot be read. It cannot be in an object stream itself.
  private mutating func objects(of stream: Int) throws(DocumentFault) -> PDFObjectStream? {
    if let known = packed[stream] { return known }
    packed[stream] = .some(nil)
    guard case .offset(let offset)? = table.entry(of: stream),
      let position = try position(of: stream, at: offset)
    else { return nil }
    var lexer = PDFLexer(file.bytes, at: position)
    guard lexer.next(readingStrings: false) == .openDictionary else { return nil }
    let dictionary = lexer.dictionary()
    let isStream = lexer.next(readingStrings: false) == .keyword(.stream)
    try file.work.spend(lexer.position - position + lexer.wasted)
    guard isStream, dictionary.isType("ObjStm"),
      let range = file.streamData(after: lexer.position, length: dictionary.integer(.length))
    else { return nil }
    try file.work.spend(range.count)
    let found = try file.objectStream(dictionary, in: range, keeping: true)
    packed[stream] = .some(found)
    return found
  }
}
