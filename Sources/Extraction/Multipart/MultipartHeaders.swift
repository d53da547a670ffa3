/// Gathers the header lines of one part and reads what they say.
///
/// - Source: RFC 7578, section 4.2 (Content-Disposition), 4.4 (Content-Type), 4.7 (Content-Transfer-Encoding) and
///   4.8 (other headers are to be ignored).
struct MultipartHeaders {
  /// The number of the part, from 1.
  let number: Int
  private var names: Set<String> = []
  private var disposition: (name: String, filename: String?)?
  private var contentType: String?

  init(part number: Int) { self.number = number }

  /// Takes one line, without its CRLF.
  mutating func add(_ line: [UInt8]) throws(MultipartFault) {
    let part = MultipartFault.Place.part(number)
    // Folded lines are obsolete. Source: RFC 9112, section 5.2.
    if let first = line.first, first.isHeaderSpace { throw MultipartFault(.folded, in: part) }
    let name = line.prefix(while: \.isTokenCharacter)
    guard !name.isEmpty, line.dropFirst(name.count).first == UInt8(ascii: ":") else {
      throw MultipartFault(.badHeader, in: part)
    }
    let written = String(decoding: name, as: UTF8.self)
    let place = MultipartFault.Place.header(written.shortened, part: number)
    let value = line.dropFirst(name.count + 1).trimmingHeaderSpaces
    if value.contains(where: { $0.isASCIIControl && !$0.isHeaderSpace }) {
      throw MultipartFault(.controlCharacter, in: place)
    }
    guard names.insert(written.lowercased()).inserted else {
      throw MultipartFault(.doubledHeader, in: place)
    }
    switch written.lowercased() {
    case "content-disposition": disposition = try readDisposition(value, place)
    case "content-type": contentType = try readType(value, place)
    case "content-transfer-encoding": try checkEncoding(value, place)
    default: break
    }
  }

  /// What the lines said, after the last one.
  func part() throws(MultipartFault) -> MultipartPart {
    guard let disposition else { throw MultipartFault(.noDisposition, in: .part(number)) }
    return MultipartPart(
      name: disposition.name, filename: disposition.filename, contentType: contentType)
  }

  // MARK: - Single headers

  private func readDisposition(
    _ value: [UInt8], _ place: MultipartFault.Place
  ) throws(MultipartFault) -> (name: String, filename: String?) {
    let header = try HeaderParameters(value, in: place)
    guard header.value.lowercased() == "form-data" else {
      throw MultipartFault(.otherDisposition(header.value.shortened), in: place)
    }
    // RFC 7578, section 4.2: the `filename*` of RFC 5987 MUST NOT be used.
    if let extended = header.parameters.first(where: { $0.name.hasSuffix("*") }) {
      throw MultipartFault(
        .extendedParameter(extended.name.shortened), in: place)
    }
    guard let name = header["name"], !name.isEmpty else {
      throw MultipartFault(.noName, in: place)
    }
    var filename: String?
    if let written = header["filename"] { filename = try text(written, "the file name", place) }
    return (try text(name, "the name", place), filename)
  }

  private func readType(
    _ value: [UInt8], _ place: MultipartFault.Place
  ) throws(MultipartFault) -> String {
    let halves = value.prefix { $0 != UInt8(ascii: ";") }.trimmingHeaderSpaces
      .split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard halves.count == 2, halves.allSatisfy({ !$0.isEmpty && $0.allSatisfy(\.isTokenCharacter) })
    else {
      throw MultipartFault(.badType, in: place)
    }
    guard let text = String(validating: value, as: UTF8.self) else {
      throw MultipartFault(.notUTF8, in: place)
    }
    return text
  }

  private func checkEncoding(
    _ value: [UInt8], _ place: MultipartFault.Place
  ) throws(MultipartFault) {
    let encoding = String(decoding: value, as: UTF8.self)
    guard ["binary", "8bit", "7bit"].contains(encoding.lowercased()) else {
      throw MultipartFault(.otherEncoding(encoding.shortened), in: place)
    }
  }

  /// A name in UTF-8, with `%0D`, `%0A` and `%22` decoded.
  ///
  /// - Source: RFC 7578, section 5.1; HTML, "multipart/form-data encoding algorithm", whatwg.org.
  private func text(
    _ bytes: [UInt8], _ what: String, _ place: MultipartFault.Place
  ) throws(MultipartFault) -> String {
    guard let written = String(validating: bytes, as: UTF8.self) else {
      throw MultipartFault(.notUTF8, in: place)
    }
    if written.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
      throw MultipartFault(.controlCharacter, in: place)
    }
    let decoded = Self.decodingBrowserEscapes(bytes)
    guard decoded.count <= MultipartPart.longestName else {
      throw MultipartFault(.longName(what), in: place)
    }
    return String(decoding: decoded, as: UTF8.self)
  }

  private static func decodingBrowserEscapes(_ bytes: [UInt8]) -> [UInt8] {
    var decoded: [UInt8] = []
    var index = 0
    while index < bytes.count {
      let escape = bytes[index...].prefix(3)
      let character: UInt8? =
        switch String(decoding: escape, as: UTF8.self).uppercased() {
        case "%0D": 0x0d
        case "%0A": 0x0a
        case "%22": UInt8(ascii: "\"")
        default: nil
        }
      decoded.append(character ?? bytes[index])
      index += character == nil ? 1 : 3
    }
    return decoded
  }
}
