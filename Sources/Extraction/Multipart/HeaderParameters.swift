/// A header value of the form `value; name=value; name="value"`, as `Content-Type` and `Content-Disposition` have it.
///
/// A parameter's value is a token or a quoted string. In a quoted string `\"` and `\\` are one character; any other
/// backslash stands for itself, as browsers mean it.
///
/// - Source: RFC 2045, section 5.1 (tokens, parameters); RFC 2183, section 2; RFC 7578, section 4.2.
struct HeaderParameters {
  /// What stands before the first semicolon, without spaces around.
  private(set) var value = ""
  /// The parameters in order; names in lower case.
  private(set) var parameters: [(name: String, value: [UInt8])] = []

  /// Reads a header value.
  ///
  /// - Throws: `badParameters`, or `doubledParameter` for a name that is there twice.
  init(_ bytes: some Collection<UInt8>, in place: MultipartFault.Place) throws(MultipartFault) {
    var rest = Array(bytes)[...]
    let head = rest.prefix { $0 != UInt8(ascii: ";") }
    value = String(decoding: head.trimmingHeaderSpaces, as: UTF8.self)
    rest = rest.dropFirst(head.count)
    while let semicolon = rest.first {
      guard semicolon == UInt8(ascii: ";") else { throw MultipartFault(.badParameters, in: place) }
      rest = rest.dropFirst().drop(while: \.isHeaderSpace)
      if rest.isEmpty { break }  // A semicolon at the end is written by some and means nothing.
      guard let parameter = Self.parameter(&rest) else {
        throw MultipartFault(.badParameters, in: place)
      }
      if self[parameter.name] != nil {
        throw MultipartFault(
          .doubledParameter(parameter.name.shortened), in: place)
      }
      parameters.append(parameter)
      rest = rest.drop(while: \.isHeaderSpace)
    }
  }

  /// The value of a parameter, by its name in lower case.
  subscript(name: String) -> [UInt8]? { parameters.first { $0.name == name }?.value }

  private static func parameter(_ rest: inout ArraySlice<UInt8>) -> (name: String, [UInt8])? {
    let name = rest.prefix(while: \.isTokenCharacter)
    rest = rest.dropFirst(name.count)
    guard !name.isEmpty, rest.first == UInt8(ascii: "=") else { return nil }
    rest = rest.dropFirst()
    let value: [UInt8]
    if rest.first == UInt8(ascii: "\"") {
      rest = rest.dropFirst()
      guard let string = quotedString(&rest) else { return nil }
      value = string
    } else {
      value = Array(rest.prefix(while: \.isTokenCharacter))
      rest = rest.dropFirst(value.count)
      if value.isEmpty { return nil }
    }
    return (String(decoding: name, as: UTF8.self).lowercased(), value)
  }

  /// Reads up to the closing quote and passes it; nil if there is none.
  private static func quotedString(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
    let quote = UInt8(ascii: "\"")
    let backslash = UInt8(ascii: "\\")
    var string: [UInt8] = []
    while let byte = rest.popFirst() {
      if byte == quote { return string }
      if byte == backslash, let next = rest.first, next == quote || next == backslash {
        string.append(next)
        rest = rest.dropFirst()
      } else {
        string.append(byte)
      }
    }
    return nil
  }
}

extension UInt8 {
  /// A space or a tab.
  var isHeaderSpace: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }

  /// A letter or digit of ASCII.
  var isASCIIAlphanumeric: Bool {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"):
      true
    default: false
    }
  }

  /// A character of a token. Source: RFC 9110, section 5.6.2.
  var isTokenCharacter: Bool { isASCIIAlphanumeric || "!#$%&'*+-.^_`|~".utf8.contains(self) }

  /// A control character of ASCII: below a space, or DEL.
  var isASCIIControl: Bool { self < 0x20 || self == 0x7f }
}

extension BidirectionalCollection<UInt8> where SubSequence: BidirectionalCollection<UInt8> {
  /// Without spaces and tabs at both ends.
  var trimmingHeaderSpaces: [UInt8] {
    var bytes = Array(self.drop(while: \.isHeaderSpace))
    while let last = bytes.last, last.isHeaderSpace { bytes.removeLast() }
    return bytes
  }
}
