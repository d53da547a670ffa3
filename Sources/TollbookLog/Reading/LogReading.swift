package import LMDB

/// One unchanging view of the log and of everything that is kept beside it, lent to a closure.
///
/// It can be neither copied nor kept nor carried over an `await`; keep it short, since the file grows while it lasts.
/// Modules above the views do not import LMDB, and see of it only what the log and the views declare: they pass it on.
package typealias LogReading = ReadTransaction

/// What a scan does after an event or a row.
package enum ReadStep: Sendable {
  /// Goes to the next one, if there is one.
  case next
  /// Ends the scan.
  case stop

  /// The same for a scan of a table.
  package var inTable: ScanStep {
    switch self {
    case .next: .next
    case .stop: .stop
    }
  }
}
