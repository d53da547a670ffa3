/// Why a call cannot be executed; becomes a 400.
package struct KeepaRejection: Error, Equatable {
  /// What is wrong, for the reader.
  package let details: String

  /// A rejection with its reason.
  package init(details: String) {
    self.details = details
  }
}

/// The parameters of a call and its body, with readers that reject what is out of range.
///
/// Keepa reads the query of every call, and a JSON body where one is documented (fact sheet,
/// section 1). An empty parameter is an absent one.
struct KeepaParameters: Sendable {
  /// The query, decoded.
  let values: [String: String]
  /// What was posted; empty for a GET.
  let body: [UInt8]

  init(_ values: [String: String], body: [UInt8] = []) {
    self.values = values
    self.body = body
  }

  /// The text of a parameter; nil if it is absent or empty.
  subscript(name: String) -> String? {
    values[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// An integer of a range.
  func number(_ name: String, _ range: ClosedRange<Int>) throws(KeepaRejection) -> Int? {
    guard let text = self[name] else { return nil }
    guard let value = Int(text), range.contains(value) else {
      throw KeepaRejection(
        details: "\(name) is outside \(range.lowerBound)...\(range.upperBound)")
    }
    return value
  }

  /// 0 or 1. A client in Python may write `True`.
  func flag(_ name: String, absent: Bool = false) throws(KeepaRejection) -> Bool {
    switch self[name] {
    case nil: absent
    case "true", "True": true
    case "false", "False": false
    default: try number(name, 0...1) == 1
    }
  }

  /// The shop; `most` is 12 (Brazil) where that shop is served, else 11 (fact sheet, section 1).
  func domain(most: Int = 11) throws(KeepaRejection) -> Int {
    guard let domain = try number("domain", 1...most), domain != 7 else {
      throw KeepaRejection(details: "domain must be 1 to 6 or 8 to \(most)")
    }
    return domain
  }

  /// A text that must be there.
  func text(_ name: String) throws(KeepaRejection) -> String {
    guard let text = self[name] else { throw KeepaRejection(details: "\(name) is missing") }
    return text
  }

  /// The parts of a list with commas, in order, each once; at least one.
  func list(_ name: String, most: Int) throws(KeepaRejection) -> [String] {
    var seen: Set<String> = []
    let parts = (self[name] ?? "").split(separator: ",").map(String.init)
      .filter { seen.insert($0).inserted }
    guard !parts.isEmpty else { throw KeepaRejection(details: "\(name) is missing") }
    guard parts.count <= most else { throw KeepaRejection(details: "more than \(most) in \(name)") }
    return parts
  }
}
