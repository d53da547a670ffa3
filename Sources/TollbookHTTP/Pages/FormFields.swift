import Hummingbird
import TollbookEvents

/// The fields of a form that was posted as `application/x-www-form-urlencoded`.
///
/// A field that nobody knows is refused, and so is one that stands twice but may stand once. A field that was left empty
/// counts as left out.
package struct FormFields: Sendable {
  /// The longest body that is read, in bytes.
  package static let mostBytes = 64 << 10
  /// The most fields of one form.
  package static let mostFields = 200

  private var values: [String: [String]] = [:]

  /// Reads the body of a request.
  ///
  /// - Throws: a `Problem`: it is no such form, is too long, or did not arrive whole.
  init(of request: Request, once: [String], several: [String]) async throws(Problem) {
    let type = request.headers[.contentType]?.split(separator: ";").first ?? ""
    let coding = request.headers[.contentEncoding] ?? "identity"
    guard type.lowercased().filter({ $0 != " " }) == "application/x-www-form-urlencoded",
      coding.lowercased() == "identity"
    else { throw Problem(.notAForm, "send the form as application/x-www-form-urlencoded") }
    try self.init(
      await collectedBody(of: request, limit: Self.mostBytes), once: once, several: several)
  }

  /// Reads a body: pairs of names and values, a plus for a blank (WHATWG URL, section 5.1), in UTF-8.
  ///
  /// - Parameters:
  ///   - once: the names that may stand once.
  ///   - several: those that may stand several times.
  init(_ body: [UInt8], once: [String], several: [String] = []) throws(Problem) {
    guard let text = String(validating: body, as: UTF8.self) else { throw Self.unreadable }
    let pairs = text.split(separator: "&", maxSplits: Self.mostFields)
    guard pairs.count <= Self.mostFields else {
      throw Problem(.invalidField, "a form may have up to \(Self.mostFields) fields")
    }
    for pair in pairs {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = Self.decoded(parts[0]),
        let value = parts.count == 2 ? Self.decoded(parts[1]) : ""
      else { throw Self.unreadable }
      let shown = name.inOneLine(atMost: 100)
      let isOnce = once.contains(name)
      guard isOnce || several.contains(name) else {
        throw Problem(.invalidField, "“\(shown)” is no field of this form", field: shown)
      }
      guard !isOnce || values[name] == nil else {
        throw Problem(.invalidField, "\(shown) stands twice; send one of them", field: shown)
      }
      values[name, default: []].append(value)
    }
  }

  /// A field; nil if it is left out, or left empty.
  package subscript(name: String) -> String? {
    values[name]?.first.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// All values of a field that may stand several times, without empty ones.
  package func values(of name: String) -> [String] {
    values[name]?.filter { !$0.isEmpty } ?? []
  }

  /// A field that has to be there.
  ///
  /// - Parameter hint: what is to be sent.
  package func require(_ name: String, _ hint: String) throws(Problem) -> String {
    guard let value = self[name] else {
      throw Problem(.missingField, "\(name) is missing: \(hint)", field: name)
    }
    return value
  }

  /// A place of Tollbook's own that a form leads back to; nil if it is left out, or leads elsewhere.
  package func ownPath(_ name: String) -> OwnPath? { self[name].flatMap { OwnPath($0) } }

  private static let unreadable = Problem(.unreadableBody, "the form is no text in UTF-8")

  private static func decoded(_ text: Substring) -> String? {
    percentDecoded(text.replacing("+", with: " "))
  }
}

extension Problem.Kind {
  static let notAForm = Self(
    "not-a-form", .unsupportedMediaType, "The body must be a form")
  static let formToken = Self(
    "form-token", .forbidden, "The form was not taken")
}
