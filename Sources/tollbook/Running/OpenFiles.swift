import Files

/// How many files, connections among them, the process may have open at once (`ulimit -n`).
enum OpenFiles {
  /// What the log, the upstream, the control socket and the threads need beside the connections of clients.
  static let reserve = 56
  /// Fewer leave no room for connections.
  static let fewest = 64
  private static let mostConnections = 4_096

  /// The limit of this process.
  static var most: Int { SystemCalls.openFileLimit ?? 1_024 }

  /// The connections that leave the rest its reserve.
  static func connections(of most: Int) -> Int {
    min(max(1, most - reserve), mostConnections)
  }

  /// Without these the process could end in the midst of its start.
  static func check(_ most: Int = most) throws(Refused) {
    guard most < fewest else { return }
    throw Refused(
      "Tollbook may open \(most) files at once (ulimit -n); it needs \(fewest), and one more for"
        + " each connection.")
  }
}
