package import LMDB
package import TollbookLog

extension EventLog {
  /// Reads of views, in one transaction.
  package func readViews<R>(
    _ body: (borrowing ReadTransaction) throws(LMDBError) -> R
  ) throws(LogError) -> R {
    try read { (transaction) throws(LogError) in
      do throws(LMDBError) { return try body(transaction) } catch { throw .storage(error) }
    }
  }
}
