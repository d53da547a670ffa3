/// The entries of dictionaries that are looked at. Source: ISO 32000-1, tables 5 (streams), 15 (trailer), 16 (object
/// streams), 17 (cross-reference streams), 28 (catalog) and 29 (page tree).
enum PDFKey: String {
  case type = "Type"
  case length = "Length"
  case filter = "Filter"
  case parameters = "DecodeParms"
  case predictor = "Predictor"
  case columns = "Columns"
  case colors = "Colors"
  case bits = "BitsPerComponent"
  case root = "Root"
  case encrypt = "Encrypt"
  case previous = "Prev"
  case hybrid = "XRefStm"
  case size = "Size"
  case widths = "W"
  case index = "Index"
  case objectCount = "N"
  case first = "First"
  case pages = "Pages"
  case kids = "Kids"
  case count = "Count"
}

/// A value, as far as it is of interest.
enum PDFValue: Equatable {
  case integer(Int)
  case name(String)
  /// The number of another object.
  case reference(Int)
  /// What stands between the brackets.
  case array(Range<Int>)
  /// What stands between `<<` and `>>`.
  case dictionary(Range<Int>)
  case other
}

/// The top level of a dictionary. What it contains is kept as the place where it stands.
struct PDFDictionary {
  private var values: [PDFKey: PDFValue] = [:]

  /// The last value of a key; nil for none and for `null`.
  fileprivate(set) subscript(key: PDFKey) -> PDFValue? {
    get { values[key] }
    set { values[key] = newValue }
  }

  func integer(_ key: PDFKey) -> Int? {
    if case .integer(let value)? = values[key] { value } else { nil }
  }

  func reference(_ key: PDFKey) -> Int? {
    if case .reference(let number)? = values[key] { number } else { nil }
  }

  /// Whether its `Type` is this name.
  func isType(_ name: String) -> Bool { values[.type] == .name(name) }
}

extension PDFLexer {
  /// Reads a dictionary after its `<<`, up to its `>>`, the end, or a keyword that cannot be in one.
  mutating func dictionary() -> PDFDictionary {
    var dictionary = PDFDictionary()
    while true {
      let start = position
      switch next() {
      case .name(let name):
        let key = text(ofName: name).flatMap(PDFKey.init(rawValue:))
        guard let found = value() else { return dictionary }
        if let key { dictionary[key] = found == .name("null") ? nil : found }
      case .closeDictionary, .end: return dictionary
      case .keyword(let keyword) where !keyword.isValue:
        position = start
        return dictionary
      default: break  // No key: passed over.
      }
    }
  }

  /// Reads a value and passes it. Nil, and nothing is passed, where none stands.
  ///
  /// `null` comes back as the name of that text: no name that is looked for is called so.
  mutating func value() -> PDFValue? {
    let start = position
    switch next() {
    case .integer(let value): return reference(value) ?? .integer(value)
    case .name(let name): return text(ofName: name).map { .name($0) } ?? .other
    case .openArray: return .array(container())
    case .openDictionary: return .dictionary(container())
    case .keyword(.null): return .name("null")
    case .string, .other: return .other
    case .closeArray, .closeDictionary, .end, .keyword:
      position = start
      return nil
    }
  }

  /// After an integer: the rest of `12 0 R`.
  private mutating func reference(_ number: Int) -> PDFValue? {
    let start = position
    if case .integer = next(readingStrings: false),
      next(readingStrings: false) == .keyword(.reference)
    {
      return .reference(number)
    }
    position = start
    return nil
  }

  /// Passes an array or a dictionary that was opened, with all that is in it.
  private mutating func container() -> Range<Int> {
    let start = position
    var depth = 1
    while true {
      let last = position
      switch next() {
      case .openArray, .openDictionary: depth += 1
      case .closeArray, .closeDictionary:
        depth -= 1
        if depth == 0 { return start..<max(start, position - 1) }
      case .keyword(let keyword) where !keyword.isValue:
        position = last
        return start..<last
      case .end: return start..<end
      default: break
      }
    }
  }
}
