/// The sections of the cross-reference from the newest to the oldest: from `startxref` along `Prev`.
///
/// - Source: ISO 32000-1, sections 7.5.5 (trailer), 7.5.6 (incremental updates) and 7.5.8.4 (hybrid files).
struct PDFCrossReference {
  private var sections: [PDFSection] = []
  /// The number of the catalog, from the newest trailer that names one.
  private(set) var root: Int?
  /// What is added to offsets: 0, or the position of the header where they are counted from there.
  private(set) var base = 0

  /// The most sections that are followed. Each save of a file may add one.
  static let mostSections = 1_024

  /// Reads what can be read; it may be nothing.
  ///
  /// - Throws: `encrypted` if a trailer says so; what ``PDFWork`` throws.
  init(_ file: inout PDFFile) throws(DocumentFault) {
    guard let start = Self.start(in: file.bytes) else { return }
    var next: Int? = start
    var seen: Set<Int> = []
    while let offset = next, seen.insert(offset).inserted, sections.count < Self.mostSections {
      var section = try PDFSection(at: offset + base, in: &file)
      if section == nil, sections.isEmpty, let header = PDFHeader.position(in: file.bytes) {
        base = header
        section = try PDFSection(at: offset + base, in: &file)
      }
      guard let section else { return }
      // Of a hybrid file the stream comes first: what it has is marked as free in the table.
      if let hybrid = section.trailer.integer(.hybrid), seen.insert(hybrid).inserted,
        let hidden = try PDFSection(at: clamped(hybrid) + base, in: &file)
      {
        try append(hidden)
      }
      try append(section)
      next = section.trailer.integer(.previous).map(clamped)
    }
  }

  private mutating func append(_ section: PDFSection) throws(DocumentFault) {
    if section.trailer[.encrypt] != nil { throw .encrypted }
    root = root ?? section.trailer.reference(.root)
    sections.append(section)
  }

  /// The newest entry of an object.
  func entry(of number: Int) -> PDFEntry? {
    for section in sections {
      if let entry = section.entry(of: number) { return entry }
    }
    return nil
  }

  /// The number after the last `startxref`, which stands in the last 2,048 bytes.
  private static func start(in bytes: [UInt8]) -> Int? {
    let mark = Array("startxref".utf8)
    let tail = bytes.suffix(2_048)
    guard let found = tail.indices.last(where: { tail[$0...].starts(with: mark) }) else {
      return nil
    }
    var lexer = PDFLexer(bytes, at: found + mark.count)
    guard case .integer(let offset) = lexer.next(readingStrings: false) else { return nil }
    return clamped(offset)
  }
}

/// An offset that a file says, without those that lie outside of any file.
private func clamped(_ offset: Int) -> Int { min(max(offset, -1), 1 << 40) }
