import Bytes
import TollbookEvents

/// A row as it stands in the tables of a view's next version.
package struct CarriedRow: Hashable, Sendable {
  /// Which of that version's tables, by its index.
  package var table: Int
  package var key: [UInt8]
  package var value: [UInt8]

  package init(table: Int, key: [UInt8], value: [UInt8]) {
    self.table = table
    self.key = key
    self.value = value
  }
}

extension Fold {
  /// An earlier version of a view, and what its rows are in the version after it.
  ///
  /// So a new version needs no events to begin with, which a log that goes on from a snapshot does not have.
  package struct Predecessor: Sendable {
    /// What a row is in the next version: one row, several, or none.
    ///
    /// It is told nothing else, and no order: whatever is carried over must follow from the row alone, and no two rows
    /// may become the same one.
    package typealias Carry =
      @Sendable (_ table: Int, _ key: RawSpan, _ value: RawSpan) -> [CarriedRow]

    /// Name and version, such as `cache@2`.
    package let id: String
    /// The tables' names, each beginning with `name@version`.
    package let tables: [String]
    /// Where its rows become what the events give in the next version. Elsewhere they are carried over only if nobody has
    /// the events: up to the snapshot that a log goes on from.
    let exactness: Exactness
    package let carry: Carry

    /// - Parameter tables: what follows `name@version.` in the names of its tables.
    package init(
      name: String, version: Int, tables: [String], exactness: Exactness = .always,
      carry: @escaping Carry
    ) {
      let id = "\(name)@\(version)"
      self.id = id
      self.exactness = exactness
      self.tables = tables.map { "\(id).\($0)" }
      self.carry = carry
    }
  }

  /// Where rows of an earlier version become what the events give in the next one.
  package enum Exactness: Int, Sendable {
    case never
    /// In a log of which each commit has the time that its clock said.
    case underRightClocks
    case always
  }

  /// A view that the fold can go on from: its own, or one of an earlier version.
  package struct Source: Sendable {
    package let id: String
    /// The names of its tables, in its order.
    package let tables: [String]
    /// What lies between it and the fold, the oldest first.
    fileprivate let steps: [Predecessor]
    fileprivate let ownTables: Int

    /// Whether it is the fold's own version.
    package var isOwn: Bool { steps.isEmpty }

    /// Where its rows become what the events give.
    package var exactness: Exactness {
      steps.map(\.exactness).min { $0.rawValue < $1.rawValue } ?? .always
    }
  }

  /// What it can go on from: its own view, then the earlier versions, the youngest first.
  package var sources: [Source] {
    let own = Source(id: id, tables: tables, steps: [], ownTables: tables.count)
    return [own]
      + predecessors.indices.map { index in
        Source(
          id: predecessors[index].id, tables: predecessors[index].tables,
          steps: predecessors[...index].reversed(), ownTables: tables.count)
      }
  }

  /// The source of that id, nil if the fold cannot go on from such a view.
  package func source(_ id: String) -> Source? { sources.first { $0.id == id } }

  /// Whether a snapshot that has these views says how the fold's begins: by its rows, by those of an earlier version, or
  /// because it is younger than the snapshot.
  package func canBegin(withViews ids: Set<String>) -> Bool {
    isYounger(than: ids) || sources.contains { ids.contains($0.id) }
  }

  /// Whether a snapshot that has these views was taken before there were events that mean anything to the fold: it then
  /// begins empty. Whoever knows a format keeps all views that came with it.
  package func isYounger(than ids: Set<String>) -> Bool {
    sinceFormat > 1 && !sources.contains { ids.contains($0.id) }
  }

  /// What is of this fold in a portion of a view, which may be that of an earlier version.
  ///
  /// - Returns: nil if the fold cannot go on from such a view.
  package func carried(_ portion: BasePortion, ofView id: String) -> [BasePortion]? {
    source(id)?.carried(portion)
  }
}

extension Fold.Source {
  /// The fold's rows that rows of this view become, and its parked events, which stay what they are.
  package func carried(_ portion: BasePortion) -> [BasePortion] {
    guard !isOwn, case .rows(let table, let rows) = portion else { return [portion] }
    var found = [[(key: [UInt8], value: [UInt8])]](repeating: [], count: ownTables)
    for row in rows {
      carry(CarriedRow(table: table, key: row.key, value: row.value), through: steps[...]) { row in
        precondition(
          found.indices.contains(row.table), "a row is carried into a table that is not there")
        found[row.table].append((row.key, row.value))
      }
    }
    return found.enumerated().filter { !$0.element.isEmpty }.map { table, rows in
      // Mostly they are in order, as they were before.
      .rows(table: table, rows.sorted { KeyBytes($0.key) < KeyBytes($1.key) })
    }
  }

  private func carry(
    _ row: CarriedRow, through steps: ArraySlice<Fold.Predecessor>, _ take: (CarriedRow) -> Void
  ) {
    guard let step = steps.first else { return take(row) }
    let carried = row.key.withRawSpan { key in
      row.value.withRawSpan { value in step.carry(row.table, key, value) }
    }
    for row in carried { carry(row, through: steps.dropFirst(), take) }
  }
}
