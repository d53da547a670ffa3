/// The text that parts the parts of a body: 1 to 70 characters. Source: RFC 2046, section 5.1.1.
package struct MultipartBoundary: Hashable, Sendable {
  /// The boundary without the two dashes before it.
  package let text: String

  /// Reads the `Content-Type` of a whole body.
  ///
  /// - Parameter contentType: The value of the header. The type is `multipart/form-data` in any case, with exactly
  ///   one `boundary`; other parameters are not looked at.
  package init(contentType: String) throws(MultipartFault) {
    if contentType.utf8.contains(where: { $0.isASCIIControl && !$0.isHeaderSpace }) {
      throw MultipartFault(.controlCharacter, in: .contentType)
    }
    let type = contentType.utf8.prefix { $0 != UInt8(ascii: ";") }
    let name = String(decoding: Array(type).trimmingHeaderSpaces, as: UTF8.self)
    guard name.lowercased() == "multipart/form-data" else {
      throw MultipartFault(.otherType(name.shortened), in: .contentType)
    }
    let header = try HeaderParameters(contentType.utf8, in: .contentType)
    guard let boundary = header["boundary"] else {
      throw MultipartFault(.noBoundary, in: .contentType)
    }
    try self.init(boundary)
  }

  private init(_ boundary: [UInt8]) throws(MultipartFault) {
    guard 1...70 ~= boundary.count else {
      throw MultipartFault(.boundaryLength(boundary.count), in: .contentType)
    }
    guard boundary.allSatisfy(\.isBoundaryCharacter) else {
      throw MultipartFault(.boundaryCharacter, in: .contentType)
    }
    if boundary.last == UInt8(ascii: " ") {
      throw MultipartFault(.boundaryEndsWithSpace, in: .contentType)
    }
    text = String(decoding: boundary, as: UTF8.self)
  }
}

extension UInt8 {
  /// `bchars` of RFC 2046, section 5.1.1.
  fileprivate var isBoundaryCharacter: Bool {
    isASCIIAlphanumeric || "'()+_,-./:=? ".utf8.contains(self)
  }
}
