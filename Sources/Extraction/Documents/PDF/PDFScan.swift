/// Reads a whole file once from left to right, without its cross-reference, and counts the page objects in it and in
/// its object streams. An object that was replaced by a newer one of the same number counts once.
struct PDFScan {
  private var lexer: PDFLexer
  private let limit: Int
  private var numbers: Set<Int> = []
  /// Page objects whose number cannot be told.
  private var unnumbered = 0
  /// The largest `Count` of a node of a page tree.
  private(set) var largestCount = 0
  /// What is thrown at the end, unless the file turns out to be encrypted.
  private var fault: DocumentFault?

  /// How many page objects were found.
  var pages: Int { numbers.count + unnumbered }

  /// Scans a file.
  ///
  /// - Throws: `encrypted`; `unreadableObjects` if there is an object stream that cannot be read, as it may hide any
  ///   number of pages; `tooManyPages`; `bomb`.
  init(_ file: inout PDFFile, limit: Int) throws(DocumentFault) {
    self.limit = limit
    lexer = PDFLexer(file.bytes, at: 0)
    try scan(&file)
    if let fault { throw fault }
  }

  /// Outside of objects strings are not read: a parenthesis in what lies between could hide all that follows.
  private mutating func scan(_ file: inout PDFFile) throws(DocumentFault) {
    // The last two tokens, if they are integers: the number of an object and its generation.
    var number: Int?
    var generation: Int?
    while true {
      switch lexer.next(readingStrings: false) {
      case .end: return
      case .integer(let value):
        (number, generation) = (generation, value)
        continue
      case .keyword(.obj): try object(number, &file)
      case .keyword(.trailer): if let trailer = dictionary() { try checkTrailer(trailer) }
      default: break
      }
      (number, generation) = (nil, nil)
    }
  }

  private mutating func object(_ number: Int?, _ file: inout PDFFile) throws(DocumentFault) {
    guard let dictionary = dictionary() else { return }
    if dictionary.isType("Page") { try add(number) }
    if dictionary.isType("Pages"), let count = dictionary.integer(.count) {
      largestCount = max(largestCount, count)
    }
    let end = lexer.position
    guard lexer.next(readingStrings: false) == .keyword(.stream) else {
      lexer.position = end
      return
    }
    if dictionary.isType("XRef") { try checkTrailer(dictionary) }
    let range = file.streamData(after: lexer.position, length: dictionary.integer(.length))
    // Without an end it is no stream: what follows is read like the rest.
    if let range { lexer.position = range.upperBound }
    if dictionary.isType("ObjStm") { try addObjects(dictionary, range, &file) }
  }

  private mutating func addObjects(
    _ dictionary: PDFDictionary, _ range: Range<Int>?, _ file: inout PDFFile
  ) throws(DocumentFault) {
    if fault != nil { return }
    do throws(DocumentFault) {
      guard let range, let objects = try file.objectStream(dictionary, in: range, keeping: false)
      else {
        throw .unreadableObjects
      }
      for number in objects.pages { try add(number) }
    } catch {
      fault = error
    }
  }

  private mutating func add(_ number: Int?) throws(DocumentFault) {
    if let number { numbers.insert(number) } else { unnumbered += 1 }
    if pages > limit { throw .tooManyPages(limit: limit) }
  }

  private func checkTrailer(_ trailer: PDFDictionary) throws(DocumentFault) {
    if trailer[.encrypt] != nil { throw .encrypted }
  }

  /// The dictionary that comes next; nil, and nothing is passed, if something else does.
  private mutating func dictionary() -> PDFDictionary? {
    let start = lexer.position
    guard lexer.next(readingStrings: false) == .openDictionary else {
      lexer.position = start
      return nil
    }
    return lexer.dictionary()
  }
}
