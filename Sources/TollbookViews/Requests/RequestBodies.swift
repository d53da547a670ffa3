import Bytes
package import LMDB

extension RequestsFold {
  /// The digests of the answers that are kept, each once, in order.
  ///
  /// - Parameter tables: the fold's tables, in its order.
  package static func bodies(
    in tables: [Table], of transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> [[UInt8]] {
    var found: Set<KeyBytes> = []
    try transaction.scan(tables[0]) { (_, row) throws(LMDBError) in
      let body = try tables[0].decoded(RequestRow(row: row)).body
      if !body.isEmpty { found.insert(KeyBytes(body)) }
      return .next
    }
    return found.sorted().map(\.bytes)
  }
}
