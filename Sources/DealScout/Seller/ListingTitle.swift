import TollbookEvents

/// The title of a listing: one line, as long as eBay takes.
enum ListingTitle {
  /// The longest title, in units of UTF-16. Source: eBay's help, "Writing a title": 80 characters.
  static let longest = 80

  /// A text on one line without blanks around it, and without more than one between two words.
  static func oneLine(_ text: some StringProtocol) -> String {
    text.inOneLine().split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  static func fits(_ title: String) -> Bool { 1...longest ~= title.utf16.count }

  /// The words of a text that fit; of one longer word its beginning.
  static func shortened(_ text: some StringProtocol) -> String {
    let line = oneLine(text)
    guard line.utf16.count > longest else { return line }
    var short = ""
    for word in line.split(separator: " ") {
      let longer = short.isEmpty ? String(word) : "\(short) \(word)"
      guard longer.utf16.count <= longest else { break }
      short = longer
    }
    guard short.isEmpty else { return short }
    for letter in line {
      guard short.utf16.count + letter.utf16.count <= longest else { break }
      short.append(letter)
    }
    return short
  }
}
