package import JSONText
import TollbookEvents

/// One error or warning of eBay's (type Error).
package struct EbayErrorEntry: Hashable, Sendable {
  /// Names and values that a message is about.
  package struct Parameter: Hashable, Sendable {
    package let name: String
    package let value: String
  }

  package static let mostText = 500
  package static let mostParameters = 20

  /// Such as 12001; 0: there is none.
  package let id: Int64
  /// Such as `API_BROWSE`, `OAuth`, `ACCESS`.
  package let domain: String
  /// `REQUEST`, `BUSINESS` or `APPLICATION`.
  package let category: String
  package let message: String
  package let longMessage: String
  package let parameters: [Parameter]

  /// Takes what is there and never fails: a message about an error must not be lost for its form. Texts are cut, and on
  /// one line.
  package init(_ value: JSONValue) {
    id = value["errorId"]?.int64.flatMap { 0...999_999_999 ~= $0 ? $0 : nil } ?? 0
    domain = Self.line(value["domain"], 64)
    category = Self.line(value["category"], 64)
    message = Self.line(value["message"], Self.mostText)
    longMessage = Self.line(value["longMessage"], Self.mostText)
    var parameters: [Parameter] = []
    if let array = value["parameters"]?.array {
      for element in array.prefix(Self.mostParameters) {
        parameters.append(
          Parameter(
            name: Self.line(element["name"], 64), value: Self.line(element["value"], 200)))
      }
    }
    self.parameters = parameters
  }

  /// For a person: the longer message if there is one, and the id.
  package var text: String {
    let words = longMessage.isEmpty ? message : longMessage
    let said = words.isEmpty ? "an error without a message" : words
    return id == 0 ? said : "\(said) (\(id))"
  }

  fileprivate static func line(_ value: JSONValue?, _ limit: Int) -> String {
    guard let value, value.kind == .string, value.range.count <= 64 << 10 else { return "" }
    return (value.string ?? "").inOneLine(atMost: limit)
  }
}

/// What an answer says went wrong: `{"errors":[…],"warnings":[…]}` of the APIs, or `{"error","error_description"}`
/// of OAuth (RFC 6749, section 5.2).
package struct EbayErrorBody: Hashable, Sendable {
  package static let mostEntries = 100
  /// Longer bodies are not looked at under an error: errors are short.
  package static let mostBytes = 256 << 10

  package let errors: [EbayErrorEntry]
  package let warnings: [EbayErrorEntry]
  /// Such as `invalid_client`; nil: it is no answer of OAuth.
  package let oauthError: String?
  package let oauthDescription: String
  /// Whether it is a page for a browser.
  package let isPage: Bool
  /// Whether some of several items came: then errors are about the others.
  private let hasItems: Bool

  package init(_ body: [UInt8]) {
    let first = body.first { !($0 == 0x20 || 0x09...0x0A ~= $0 || $0 == 0x0D) }
    isPage = first == UInt8(ascii: "<")
    let root =
      first == UInt8(ascii: "{") && body.count <= Self.mostBytes
      ? try? JSONDocument(body, maximumDepth: 32, maximumValues: Self.mostBytes / 2).root : nil
    hasItems = !(root?["items"]?.array?.isEmpty ?? true)
    errors = Self.entries(root?["errors"])
    warnings = Self.entries(root?["warnings"])
    oauthError = root?["error"].flatMap { error in
      let word = EbayErrorEntry.line(error, 64)
      return word.isEmpty ? nil : word
    }
    oauthDescription = EbayErrorEntry.line(
      root?["error_description"], EbayErrorEntry.mostText)
  }

  private static func entries(_ value: JSONValue?) -> [EbayErrorEntry] {
    guard let array = value?.array else { return [] }
    return array.prefix(mostEntries).map { EbayErrorEntry($0) }
  }

  /// Whether an answer is about an error whatever its status says.
  package var isError: Bool { !hasItems && !errors.isEmpty || oauthError != nil }

  func has(_ ids: Int64...) -> Bool { errors.contains { ids.contains($0.id) } }

  /// For a person, on one line; empty: nothing is said.
  var text: String {
    if let first = errors.first { return first.text }
    guard let oauthError else { return "" }
    return oauthDescription.isEmpty ? oauthError : "\(oauthError): \(oauthDescription)"
  }
}
