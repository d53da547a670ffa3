/// The rules for reasons that operators give for whoever reads the log.
enum GivenReason {
  /// In bytes.
  static let longest = 500

  static func check(_ text: String, _ field: String) throws(AccountRefusal) {
    guard !text.allSatisfy(\.isWhitespace) else {
      throw AccountRefusal(.invalid, field, "\(field) is empty; it says why")
    }
    guard text.utf8.count <= longest else {
      throw AccountRefusal(
        .invalid, field, "\(field) has \(text.utf8.count) bytes; \(longest) are allowed")
    }
  }
}
