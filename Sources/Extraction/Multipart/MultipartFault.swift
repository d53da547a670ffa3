/// Why a multipart body, or the header that announces one, was refused.
package struct MultipartFault: Error, Hashable, Sendable {
  /// Where the fault is.
  package enum Place: Hashable, Sendable {
    /// In the `Content-Type` of the whole body.
    case contentType
    /// Before the first part.
    case beginning
    /// In a part; the first is 1.
    case part(Int)
    /// In a header of a part, named as it was written.
    case header(String, part: Int)
    /// After the last boundary.
    case end
    /// In the body as a whole.
    case body
  }

  /// What is wrong there.
  package enum Reason: Hashable, Sendable {
    /// The type of the whole is another one than multipart/form-data.
    case otherType(String)
    /// There is no `boundary` parameter.
    case noBoundary
    /// The boundary is empty or longer than 70 characters.
    case boundaryLength(Int)
    /// The boundary has a character that RFC 2046 does not allow.
    case boundaryCharacter
    /// The boundary ends with a space.
    case boundaryEndsWithSpace
    /// Parameters that are not written as `; name=value`.
    case badParameters
    /// A parameter that is there twice.
    case doubledParameter(String)
    /// A parameter in the form of RFC 5987, which RFC 7578 forbids.
    case extendedParameter(String)
    /// Bytes before the first boundary.
    case preamble
    /// Bytes after the last boundary.
    case epilogue
    /// A line that ends with CR or LF alone.
    case lineEnd
    /// A NUL or another control character.
    case controlCharacter
    /// Bytes that are not UTF-8.
    case notUTF8
    /// A header that goes on in a second line.
    case folded
    /// A line that is no `name: value`.
    case badHeader
    /// A header that is there twice.
    case doubledHeader
    /// A part without a `Content-Disposition`.
    case noDisposition
    /// A disposition other than `form-data`.
    case otherDisposition(String)
    /// A `Content-Disposition` without a name, or with an empty one.
    case noName
    /// A name or file name longer than ``MultipartPart/longestName`` bytes.
    case longName(String)
    /// A `Content-Type` of a part that is no `type/subtype`.
    case badType
    /// A `Content-Transfer-Encoding` that changes the bytes, or an unknown one.
    case otherEncoding(String)
    /// The headers of a part are longer than allowed, in bytes.
    case longHeaders(limit: Int)
    /// More parts than allowed.
    case tooManyParts(limit: Int)
    /// A part is longer than allowed, in bytes.
    case longPart(name: String, limit: Int)
    /// The body is longer than allowed, in bytes.
    case longBody(limit: Int)
    /// The body ends before its last boundary.
    case cut
  }

  package let place: Place
  package let reason: Reason

  package init(_ reason: Reason, in place: Place) {
    self.reason = reason
    self.place = place
  }
}

extension MultipartFault: CustomStringConvertible {
  package var description: String { "\(place): \(reason)" }
}

extension MultipartFault.Place: CustomStringConvertible {
  package var description: String {
    switch self {
    case .contentType: "Content-Type"
    case .beginning: "before the first part"
    case .part(let number): "part \(number)"
    case .header(let name, let part): "part \(part), \(name)"
    case .end: "after the last part"
    case .body: "the body"
    }
  }
}

extension MultipartFault.Reason: CustomStringConvertible {
  package var description: String {
    switch self {
    case .otherType(""): "it is missing; a form is sent as multipart/form-data"
    case .otherType(let type): "“\(type)” is not multipart/form-data"
    case .noBoundary: "the parameter boundary is missing"
    case .boundaryLength(let length): "a boundary has 1 to 70 characters, not \(length)"
    case .boundaryCharacter: "the boundary has a character that is not allowed"
    case .boundaryEndsWithSpace: "a boundary does not end with a space"
    case .badParameters: "parameters are written as “; name=value”"
    case .doubledParameter(let name): "the parameter \(name) is there twice"
    case .extendedParameter(let name):
      "the parameter \(name) is not allowed in a form; write it without the star"
    case .preamble: "the body does not begin with its boundary"
    case .epilogue: "bytes follow the last boundary"
    case .lineEnd: "a line ends with CR or LF alone"
    case .controlCharacter: "a control character is not allowed"
    case .notUTF8: "the bytes are not UTF-8"
    case .folded: "a header goes on in a second line"
    case .badHeader: "a line is no “name: value”"
    case .doubledHeader: "the header is there twice"
    case .noDisposition: "Content-Disposition is missing"
    case .otherDisposition(let kind): "“\(kind)” is not form-data"
    case .noName: "the name is missing"
    case .longName(let name): "\(name) is longer than \(MultipartPart.longestName) bytes"
    case .badType: "this is no media type"
    case .otherEncoding(let encoding): "“\(encoding)” is not binary, 8bit or 7bit"
    case .longHeaders(let limit): "the headers are longer than \(limit) bytes"
    case .tooManyParts(let limit): "there are more than \(limit) parts"
    case .longPart(let name, let limit): "“\(name)” is longer than \(limit) bytes"
    case .longBody(let limit): "it is longer than \(limit) bytes"
    case .cut: "the body ends too early"
    }
  }
}
