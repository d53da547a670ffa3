import JSONText

/// The `selection` of a finder or a deals query: a JSON object, in one form however its members are ordered.
struct KeepaSelection: Hashable, Sendable {
  /// The longest that is taken, in bytes.
  static let most = 64 << 10

  /// As the client wrote it.
  let text: String
  /// Members sorted, and without those that say the same as leaving them out.
  let canonical: String
  /// How many ASINs a page holds.
  let perPage: Int
  /// The marketplace that a selection of deals names; 0: none.
  let domain: Int
  /// A range whose lower end is above its upper one, as the client would know it; nil: there is none.
  let turnedRange: String?

  /// Nil if it is no JSON object, or too long.
  init?(_ text: String) {
    guard text.utf8.count <= Self.most,
      let root = try? JSONDocument(Array(text.utf8), maximumValues: 100_000).root,
      root.kind == .object
    else { return nil }
    self.text = text
    var bytes: [UInt8] = []
    Self.write(root, isTop: true, to: &bytes)
    canonical = String(decoding: bytes, as: UTF8.self)
    // 50 to 10,000 (fact sheet, section 5).
    domain = root["domainId"]?.int ?? 0
    perPage = min(max(root["perPage"]?.int ?? 50, 50), 10_000)
    turnedRange = Self.turnedRange(root)
  }

  /// Looks for `…_gte` above `…_lte` (finder), and for `…Range` (deals). A number below 0 is no end of a range: it stands
  /// for no offer, or for no upper end.
  private static func turnedRange(_ root: JSONValue) -> String? {
    guard let members = root.members else { return nil }
    for member in members {
      let name = member.name
      if name.hasSuffix("_gte") {
        let stem = String(name.dropLast(4))
        guard let low = member.value.double, let high = root["\(stem)_lte"]?.double, high >= 0,
          low > high
        else { continue }
        return "\(name) is above \(stem)_lte"
      }
      guard name.hasSuffix("Range"), let ends = member.value.array?.compactMap(\.double),
        ends.count == 2, ends[1] >= 0, ends[0] > ends[1]
      else { continue }
      return "the lower end of \(name) is above the upper one"
    }
    return nil
  }

  private static func write(_ value: JSONValue, isTop: Bool = false, to bytes: inout [UInt8]) {
    if let members = value.members {
      bytes.append(UInt8(ascii: "{"))
      var isFirst = true
      for member in members.sorted(by: { $0.name < $1.name })
      where !(isTop && isDefault(member)) {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
        var name = JSONWriter()
        name.string(member.name)
        bytes += name.bytes
        bytes.append(UInt8(ascii: ":"))
        write(member.value, to: &bytes)
      }
      bytes.append(UInt8(ascii: "}"))
    } else if let elements = value.array {
      bytes.append(UInt8(ascii: "["))
      for (index, element) in elements.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        write(element, to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    } else {
      bytes += value.bytes
    }
  }

  private static func isDefault(_ member: JSONMember) -> Bool {
    (member.isNamed("page") && member.value.int == 0)
      || (member.isNamed("perPage") && member.value.int == 50)
  }
}
