package import LMDB

extension CacheFold {
  /// Shows the digest of every body that an entry names, each once, in order.
  ///
  /// - Parameter tables: the fold's tables, in its order.
  package static func scanBodies<E: StorageFailure>(
    in tables: [Table], of transaction: borrowing ReadTransaction,
    _ body: (_ digest: RawSpan) throws(E) -> Void
  ) throws(E) {
    try transaction.scan(tables[2]) { (digest, row) throws(E) in
      // Of one whose count cannot be decoded nobody knows that it is not named.
      if BodyReferences.entries(of: row) != 0 { try body(digest) }
      return .next
    }
  }

  /// Whether an entry names a body, or one named it and the body was not pruned since.
  ///
  /// - Parameter tables: the fold's tables, in its order.
  package static func knows(
    body digest: [UInt8], in tables: [Table], of transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Bool {
    try transaction.contains(key: digest.span, in: tables[2])
  }
}
