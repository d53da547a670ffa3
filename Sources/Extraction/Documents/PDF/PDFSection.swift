/// Where an object stands.
enum PDFEntry: Equatable {
  /// Nowhere: it was deleted.
  case free
  /// At an offset in the file.
  case offset(Int)
  /// In an object stream, at an index of its header.
  case packed(stream: Int, index: Int)
}

/// One section of the cross-reference: a table in the file (ISO 32000-1, section 7.5.4) or the content of a
/// cross-reference stream (section 7.5.8). Entries are read when they are asked for.
struct PDFSection {
  /// Entries of numbers that follow one another.
  struct Run {
    var first: Int
    var count: Int
    /// Where the first entry stands.
    var position: Int
  }

  /// What the entries stand in.
  private let bytes: [UInt8]
  /// In order of their first numbers.
  private let runs: [Run]
  /// The bytes of the three fields of an entry; nil for a table.
  private let widths: [Int]?
  let trailer: PDFDictionary

  /// The length of an entry of a table: `0000000016 00000 n` and two bytes of line end.
  private static let entryLength = 20

  /// The entry of an object; nil if this section does not have it.
  func entry(of number: Int) -> PDFEntry? {
    var low = 0
    var high = runs.count
    while low < high {
      let middle = (low + high) / 2
      if runs[middle].first <= number { low = middle + 1 } else { high = middle }
    }
    guard low > 0 else { return nil }
    let run = runs[low - 1]
    guard number - run.first < run.count else { return nil }
    let offset = number - run.first
    guard let widths else { return tableEntry(at: run.position + offset * Self.entryLength) }
    return streamEntry(at: run.position + offset * widths.reduce(0, +), widths)
  }

  private func tableEntry(at position: Int) -> PDFEntry? {
    var lexer = PDFLexer(bytes, in: position..<min(position + 10, bytes.count))
    guard case .integer(let offset) = lexer.next(), position + 17 < bytes.count else { return nil }
    switch bytes[position + 17] {
    case UInt8(ascii: "n"): return .offset(offset)
    case UInt8(ascii: "f"): return .free
    default: return nil
    }
  }

  /// - Source: ISO 32000-1, table 18. Without the first field the type is 1.
  private func streamEntry(at position: Int, _ widths: [Int]) -> PDFEntry? {
    guard let type = bytes.bigEndian(widths[0], at: position),
      let second = bytes.bigEndian(widths[1], at: position + widths[0]),
      let third = bytes.bigEndian(widths[2], at: position + widths[0] + widths[1])
    else { return nil }
    switch widths[0] == 0 ? 1 : type {
    case 0: return .free
    case 1: return .offset(second)
    case 2: return .packed(stream: second, index: third)
    default: return nil
    }
  }
}

// MARK: - Reading

extension PDFSection {
  /// Reads the section at an offset, whichever form it has; nil if none stands there.
  init?(at position: Int, in file: inout PDFFile) throws(DocumentFault) {
    guard 0..<file.bytes.count ~= position else { return nil }
    var lexer = PDFLexer(file.bytes, at: position)
    let section: PDFSection?
    switch lexer.next(readingStrings: false) {
    case .keyword(.xref): section = Self.table(&lexer)
    case .integer: section = try Self.stream(&lexer, &file)
    default: section = nil
    }
    try file.work.spend(lexer.position - position + lexer.wasted)
    guard let section else { return nil }
    self = section
  }

  /// Reads the subsections after `xref`, each `first count` and so many entries, and the trailer.
  private static func table(_ lexer: inout PDFLexer) -> PDFSection? {
    var runs: [Run] = []
    while true {
      switch lexer.next(readingStrings: false) {
      case .integer(let first):
        guard case .integer(let count) = lexer.next(readingStrings: false), first >= 0, count >= 0
        else { return nil }
        let start = lexer.position
        // The first entry begins with a digit; what stands before it is a line end.
        guard case .integer = lexer.next(readingStrings: false) else {
          lexer.position = start
          continue  // A subsection of no entries.
        }
        lexer.position = start
        while lexer.position < lexer.end, lexer.bytes[lexer.position].isPDFSpace {
          lexer.position += 1
        }
        if count == 0 { continue }
        guard count <= (lexer.end - lexer.position) / entryLength else { return nil }
        runs.append(Run(first: first, count: count, position: lexer.position))
        lexer.position += count * entryLength
      case .keyword(.trailer):
        guard lexer.next(readingStrings: false) == .openDictionary else { return nil }
        return PDFSection(lexer.bytes, runs, widths: nil, trailer: lexer.dictionary())
      default: return nil
      }
    }
  }

  /// Reads the rest of `12 0 obj << … >> stream`.
  private static func stream(
    _ lexer: inout PDFLexer, _ file: inout PDFFile
  ) throws(DocumentFault) -> PDFSection? {
    guard case .integer = lexer.next(readingStrings: false),
      lexer.next(readingStrings: false) == .keyword(.obj),
      lexer.next(readingStrings: false) == .openDictionary
    else { return nil }
    let dictionary = lexer.dictionary()
    guard dictionary.isType("XRef"), lexer.next(readingStrings: false) == .keyword(.stream),
      let range = file.streamData(after: lexer.position, length: dictionary.integer(.length)),
      case .array(let place)? = dictionary[.widths]
    else { return nil }
    try file.work.spend(range.count)
    let widths = lexer.integers(in: place)
    guard widths.count == 3, widths.allSatisfy({ 0...7 ~= $0 }), widths.contains(where: { $0 > 0 }),
      let content = try file.content(of: dictionary, in: range)
    else { return nil }
    var index = [0, dictionary.integer(.size) ?? 0]
    if case .array(let place)? = dictionary[.index] { index = lexer.integers(in: place) }
    let runs = runs(index, entries: content.count / widths.reduce(0, +), widths.reduce(0, +))
    return PDFSection(content, runs, widths: widths, trailer: dictionary)
  }

  /// The runs of an `Index`: pairs of a first number and a count, as far as there are entries.
  private static func runs(_ index: [Int], entries: Int, _ width: Int) -> [Run] {
    var runs: [Run] = []
    var used = 0
    for pair in stride(from: 0, to: index.count - 1, by: 2) {
      let count = min(index[pair + 1], entries - used)
      if index[pair] < 0 || count <= 0 { break }
      runs.append(Run(first: index[pair], count: count, position: used * width))
      used += count
    }
    return runs
  }

  private init(_ bytes: [UInt8], _ runs: [Run], widths: [Int]?, trailer: PDFDictionary) {
    self.bytes = bytes
    self.runs = runs.sorted { $0.first < $1.first }
    self.widths = widths
    self.trailer = trailer
  }
}

extension PDFLexer {
  /// The integers of an array up to the first thing that is none.
  fileprivate func integers(in range: Range<Int>) -> [Int] {
    var lexer = PDFLexer(bytes, in: range)
    var integers: [Int] = []
    while case .integer(let value) = lexer.next(readingStrings: false) { integers.append(value) }
    return integers
  }
}
