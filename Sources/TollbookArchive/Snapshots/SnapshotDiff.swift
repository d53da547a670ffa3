import TollbookLog

/// What is different between two snapshots, table by table.
package struct SnapshotDiff: Sendable {
  /// A row that is not in both, or not the same in both.
  package struct Example: Hashable, Sendable {
    package enum Change: String, Sendable {
      case added, removed, changed
    }

    package let change: Change
    /// The row's key as far as it is text; other bytes as `\x00`.
    package let key: String
  }

  /// How a table differs.
  package struct TableChange: Hashable, Sendable {
    /// Its name; `parked` of a view for the events that it has parked.
    package let name: String
    package internal(set) var added: UInt64 = 0
    package internal(set) var removed: UInt64 = 0
    package internal(set) var changed: UInt64 = 0
    package internal(set) var same: UInt64 = 0
    /// The first few.
    package internal(set) var examples: [Example] = []

    package var isSame: Bool { added == 0 && removed == 0 && changed == 0 }
  }

  package let old: SnapshotManifest
  package let new: SnapshotManifest
  /// Every table of either, in the order of the manifests.
  package let tables: [TableChange]

  package var isSame: Bool { tables.allSatisfy(\.isSame) }

  /// Compares two files, reading both to their ends.
  ///
  /// - Parameter examples: how many rows of a table are shown.
  package init(
    from old: String, to new: String, examples: Int = 3
  ) throws(SnapshotProblem) {
    var left = try SnapshotRows(path: old)
    var right = try SnapshotRows(path: new)
    self.old = left.manifest
    self.new = right.manifest
    var tables: [TableChange] = []
    // Both list views in the order of the folds; a table that only one has is compared with nothing.
    while let name = Self.nextTable(left.tables.map(\.name), right.tables.map(\.name)) {
      tables.append(
        try Self.compare(
          name, &left, isLeft: left.tables.first?.name == name, &right,
          isRight: right.tables.first?.name == name, examples: examples))
    }
    try left.finish()
    try right.finish()
    self.tables = tables
  }

  /// The table to compare next: those first that only one of both has.
  private static func nextTable(_ left: [String], _ right: [String]) -> String? {
    guard let first = left.first, let second = right.first else { return left.first ?? right.first }
    return right.contains(first) && !left.contains(second) ? second : first
  }

  private static func compare(
    _ name: String, _ left: inout SnapshotRows, isLeft: Bool, _ right: inout SnapshotRows,
    isRight: Bool, examples: Int
  ) throws(SnapshotProblem) -> TableChange {
    var change = TableChange(name: name)
    var old = isLeft ? try left.next() : nil
    var new = isRight ? try right.next() : nil
    while old != nil || new != nil {
      let found: Example.Change?
      let key: [UInt8]
      switch (old, new) {
      case (let row?, nil):
        (found, key) = (.removed, row.key)
      case (nil, let row?):
        (found, key) = (.added, row.key)
      case (let before?, let after?):
        if before.key == after.key {
          (found, key) = (before.value == after.value ? nil : .changed, before.key)
        } else if before.key.lexicographicallyPrecedes(after.key) {
          (found, key) = (.removed, before.key)
        } else {
          (found, key) = (.added, after.key)
        }
      case (nil, nil): continue
      }
      change.count(found)
      if let found, change.examples.count < examples {
        change.examples.append(Example(change: found, key: Self.text(key)))
      }
      if found != .added { old = try left.next() }
      if found != .removed { new = try right.next() }
    }
    if isLeft { left.endTable() }
    if isRight { right.endTable() }
    return change
  }

  /// Letters as they are, a zero byte as ` · ` between two of them, and other bytes in hexadecimal digits.
  static func text(_ key: [UInt8]) -> String {
    var text = ""
    for (index, byte) in key.enumerated() {
      let isInside = index > 0 && index < key.count - 1
      switch byte {
      case 0x20...0x7e: text.unicodeScalars.append(Unicode.Scalar(byte))
      case 0 where isInside && (0x20...0x7e).contains(key[index - 1]): text += " · "
      default: text += "\\x" + [byte].hexadecimal
      }
    }
    return text
  }
}

extension SnapshotDiff.TableChange {
  fileprivate mutating func count(_ change: SnapshotDiff.Example.Change?) {
    switch change {
    case .added?: added += 1
    case .removed?: removed += 1
    case .changed?: changed += 1
    case nil: same += 1
    }
  }
}

/// The rows of a snapshot, one after the other, and where one table ends and the next begins.
private struct SnapshotRows {
  struct TablePlace {
    let name: String
    let view: Int
    let table: Int
  }

  let manifest: SnapshotManifest
  private let reader: SnapshotReader
  /// Tables that were not compared yet.
  private(set) var tables: [TablePlace]
  private var portion: (view: Int, table: Int, rows: ArraySlice<SnapshotRow>)?

  init(path: String) throws(SnapshotProblem) {
    reader = try SnapshotReader(path: path)
    manifest = reader.manifest
    tables = manifest.views.enumerated().flatMap { number, view in
      (view.tables.map(\.name) + ["\(view.id) parked"]).enumerated().map {
        TablePlace(name: $1, view: number, table: $0)
      }
    }
  }

  /// The next row of the first table in `tables`; nil at its end.
  mutating func next() throws(SnapshotProblem) -> SnapshotRow? {
    guard let place = tables.first else { return nil }
    if portion?.rows.isEmpty ?? true {
      portion = nil
      if case .rows(let view, let table, let rows)? = try reader.next() {
        portion = (view, table, rows[...])
      }
    }
    guard let here = portion, here.view == place.view, here.table == place.table else { return nil }
    return portion?.rows.popFirst()
  }

  mutating func endTable() { tables.removeFirst() }

  /// Reads what is left, so that it is certain that all was as it was written.
  func finish() throws(SnapshotProblem) { try reader.readAll() }
}
