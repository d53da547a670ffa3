package import LMDB
package import TollbookEvents

/// What a rebuild of the views found and did.
package struct RebuildReport: Hashable, Sendable {
  /// One view, compared with the one that it took the place of.
  package struct View: Hashable, Sendable {
    /// The fold's id, such as `cache@1`.
    package let view: String
    /// Rows of all its tables.
    package let rows: UInt64
    /// Where the two first differed; nil if they were the same.
    package let difference: Difference?
  }

  /// The first row that is not the same in both.
  package struct Difference: Hashable, Sendable {
    /// The table's name, or `parked`.
    package let table: String
    package let key: [UInt8]

    package init(table: String, key: [UInt8]) {
      self.table = table
      self.key = key
    }
  }

  /// What the views contain since the switch.
  package var position: Position = 0
  package var views: [View] = []
  /// Portions of work for which the writer was held.
  package var holds = 0
  /// The longest of them in nanoseconds, flushes not counted.
  package var longestHold: Int64 = 0
  /// The longest of them in nanoseconds, flushes counted.
  package var longestStop: Int64 = 0

  package var isEqual: Bool { views.allSatisfy { $0.difference == nil } }
}

/// How far a rebuild is.
package struct RebuildProgress: Hashable, Sendable {
  package enum Step: String, Sendable {
    case clearing, loading, folding, copying, comparing, switching, dropping
  }

  package var step: Step
  /// The last position that the new tables contain.
  package var position: Position
  package var head: Position

  package init(step: Step, position: Position, head: Position) {
    self.step = step
    self.position = position
    self.head = head
  }
}

/// Why views were not rebuilt. Those that are read are as they were.
package enum RebuildError: StorageFailure, Hashable, Sendable, CustomStringConvertible {
  case log(LogError)
  case underWay
  /// It was told to end before the new views were in force.
  case cancelled
  /// The log goes on from a snapshot whose rows are needed and were not given.
  case withoutBase(Position, reason: String)

  package static func storage(_ error: LMDBError) -> RebuildError { .log(.storage(error)) }

  package var description: String {
    switch self {
    case .log(let error): "\(error)"
    case .underWay: "the views are being rebuilt already"
    case .cancelled: "the rebuild was cancelled; the views are as they were"
    case .withoutBase(let base, let reason):
      "the views cannot be rebuilt: events up to position \(base) are not in this log, and the"
        + " snapshot that holds them cannot be used: \(reason)"
    }
  }
}

/// What a view begins with where a log goes on from a snapshot.
package enum BasePortion: Sendable {
  /// Rows of a table, by its index in the fold.
  case rows(table: Int, [(key: [UInt8], value: [UInt8])])
  case parked([Fold.Parked])
}

/// Hands out what the views were at the base of the log, in portions of some thousand rows.
///
/// - Parameter take: gets the id of a view (such as `cache@1`) and some of what it holds.
/// - Returns: the ids of the views that the snapshot has.
package typealias BaseRows =
  @Sendable (_ base: LogBase, _ take: (_ view: String, BasePortion) throws -> Void) throws -> Set<
    String
  >
