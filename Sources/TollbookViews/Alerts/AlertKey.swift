import Bytes
package import TollbookEvents

/// By what an alert is known while it is open: which one it is, of what, in which window, and at which share. The same one
/// is raised again only when it is over.
package struct AlertKey: Hashable, Sendable {
  package let bytes: [UInt8]

  package init(_ alert: Alert) {
    var bytes: [UInt8] = []
    for part in [
      alert.name, alert.budget, alert.tag, alert.window, alert.upstream, alert.credential,
      alert.meterOwner, alert.unit,
    ] {
      bytes.append(utf8: part)
      bytes.append(0)
    }
    bytes.append(bigEndian: alert.percent)
    self.bytes = bytes
  }

  /// A key as it stands in the table.
  package init(bytes: [UInt8]) { self.bytes = bytes }

  /// Whether it can stand in the table, and the names in it can be told apart.
  var isPossible: Bool { bytes.count <= 510 && bytes.dropLast(4).count { $0 == 0 } == 8 }
}
