import JSONText

/// What is kept in short of an answer of the finder: what was asked, and how many were found. As JSON.
struct FinderSummary {
  /// The longest selection that is kept with it, in bytes.
  private static let mostSelection = 4_096

  let selection: JSONValue
  let count: Int64

  /// - Parameters:
  ///   - selection: as the client wrote it.
  ///   - content: what Keepa answered, without its envelope.
  static func bytes(of selection: String?, _ content: [UInt8]) -> [UInt8] {
    guard let selection, selection.utf8.count <= mostSelection,
      let asked = KeepaSelection(selection), let root = try? JSONDocument(content).root
    else { return [] }
    var json = JSONWriter()
    json.object { json in
      json.rawField("selection", Array(asked.canonical.utf8))
      json.field("count", root["asinList"]?.array?.count ?? 0)
    }
    return json.bytes
  }

  /// Nil if it cannot be read.
  init?(_ bytes: [UInt8]) {
    guard let root = try? JSONDocument(bytes).root, let selection = root["selection"],
      let count = root["count"]?.int64
    else { return nil }
    self.selection = selection
    self.count = count
  }

  func write(to json: inout JSONWriter) {
    json.rawField("selection", selection.bytes)
    json.field("count", count)
  }
}
