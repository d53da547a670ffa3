package import LMDB
package import TollbookEvents

/// A projection as the log sees it: which tables it keeps and how it applies events to them, in the same transaction
/// that appends them.
///
/// A fold reads the events and its own tables and nothing else. It may be given the events of one decision or of a
/// thousand commits at a time, and must leave the same bytes either way.
package struct Fold: Sendable {
  /// An event that a fold could not apply. It is kept beside the view, and appends go on.
  package struct Parked: Hashable, Sendable {
    package let position: Position
    package let reason: String

    package init(position: Position, reason: String) {
      self.position = position
      self.reason = reason
    }
  }

  /// When the log calls it.
  package enum Cadence: Sendable {
    /// After each decision: deciders read its tables.
    case eachDecision
    /// Once before a commit is sealed: only readers need its tables.
    case eachCommit
  }

  /// Applies events, in order, to the tables, which come in the order of `tables`. Where a stored row cannot be decoded it
  /// throws `.undecodable` before it has written anything.
  package typealias Apply =
    @Sendable (
      _ events: [RecordedEvent], _ tables: [Table], _ transaction: inout WriteTransaction
    ) throws(LMDBError) -> [Parked]

  /// Name and version, such as `cache@1`. Another version is another view with its own tables.
  package let id: String
  /// The tables' names in the environment, each beginning with `name@version`.
  package let tables: [String]
  package let cadence: Cadence
  package let apply: Apply
  /// Whether its tables speak of events that are stored and of no others: in a log that goes on from a snapshot it
  /// begins with nothing, while all other folds begin with the snapshot's rows.
  package let isOverStoredEvents: Bool
  /// The first format whose events mean anything to it: over a log of an older one it begins empty.
  package let sinceFormat: Int
  /// The versions whose rows it can go on from, the youngest first.
  package let predecessors: [Predecessor]

  /// - Parameters:
  ///   - tables: what follows `name@version.` in the names of its tables.
  ///   - predecessors: the youngest first, each of which knows its rows in the one before it in this list; the youngest
  ///     knows them in this version.
  package init(
    name: String, version: Int, tables: [String], cadence: Cadence,
    isOverStoredEvents: Bool = false, sinceFormat: Int = 1, predecessors: [Predecessor] = [],
    apply: @escaping Apply
  ) {
    let id = "\(name)@\(version)"
    self.id = id
    self.tables = tables.map { "\(id).\($0)" }
    self.cadence = cadence
    self.isOverStoredEvents = isOverStoredEvents
    self.sinceFormat = sinceFormat
    self.predecessors = predecessors
    self.apply = apply
  }
}
