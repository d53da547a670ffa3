/// Objects that are compressed together. Source: ISO 32000-1, section 7.5.7.
struct PDFObjectStream {
  let content: [UInt8]
  /// The number of each object and where it begins in the content, in the order of the header.
  private let objects: [(number: UInt32, position: UInt32)]

  /// The most objects that one stream may have. Writers put some hundreds into one.
  static let mostObjects = 100_000

  /// Reads the header: `N` pairs of a number and an offset from `First`.
  ///
  /// - Returns: Nil if the header is not whole, or too long.
  init?(_ dictionary: PDFDictionary, content: [UInt8]) {
    guard let count = dictionary.integer(.objectCount), 0...Self.mostObjects ~= count,
      let first = dictionary.integer(.first), 0...content.count ~= first
    else { return nil }
    var lexer = PDFLexer(content, in: 0..<first)
    var objects: [(number: UInt32, position: UInt32)] = []
    for _ in 0..<count {
      guard case .integer(let number) = lexer.next(), case .integer(let offset) = lexer.next(),
        0...content.count - first ~= offset, let number = UInt32(exactly: number),
        let position = UInt32(exactly: first + offset)
      else { return nil }
      objects.append((number, position))
    }
    self.content = content
    self.objects = objects
  }

  /// How many objects there are.
  var count: Int { objects.count }

  /// Where the object begins in the content that has this index in the header; nil if it has another number.
  func position(of number: Int, at index: Int) -> Int? {
    guard objects.indices.contains(index), objects[index].number == number else { return nil }
    return Int(objects[index].position)
  }

  /// Where an object begins in the content; ``count`` are looked at.
  func position(of number: Int) -> Int? {
    objects.first { $0.number == number }.map { Int($0.position) }
  }

  /// The numbers of objects that are a page.
  ///
  /// Each object is read up to where the next one begins, so that every byte is read once.
  var pages: [Int] {
    let sorted = objects.sorted { $0.position < $1.position }
    var pages: [Int] = []
    var isPage = false
    for (index, object) in sorted.enumerated() {
      if index == 0 || object.position != sorted[index - 1].position {
        let next = sorted[index...].first { $0.position != object.position }
        let end = next.map { Int($0.position) } ?? content.count
        var lexer = PDFLexer(content, in: Int(object.position)..<end)
        isPage = lexer.next() == .openDictionary && lexer.dictionary().isType("Page")
      }
      if isPage { pages.append(Int(object.number)) }
    }
    return pages
  }
}
