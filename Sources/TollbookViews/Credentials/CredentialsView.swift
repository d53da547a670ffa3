import Bytes
package import LMDB
package import TollbookEvents
package import TollbookLog

/// Reads of credentials and of how they are chosen, inside a transaction that the caller holds. Deciders use it too.
package struct CredentialsView: Sendable {
  private let tables: ViewTables

  package init(_ log: EventLog) { self.init(log.viewTables(of: CredentialsFold.fold)) }

  package init(_ tables: ViewTables) { self.tables = tables }

  /// From the fold's tables in their order.
  package init(tables: [Table]) { self.init(ViewTables(tables)) }

  /// Nil: there is none of that id, or it was removed.
  package func credential(
    _ id: String, in transaction: borrowing LogReading
  ) throws(LogError) -> CredentialRow? {
    guard (1...511).contains(id.utf8.count) else { return nil }
    let table = try tables.open(in: transaction)[0]
    let row = try LogError.absorbing(
      try transaction.row(forKey: Array(id.utf8).span, in: table) { CredentialRow(row: $0) })
    return row?.isRemoved == false ? row : nil
  }

  /// All that there are, in the order of their ids, without those that were removed.
  package func credentials(
    in transaction: borrowing LogReading
  ) throws(LogError) -> [(id: String, credential: CredentialRow)] {
    let table = try tables.open(in: transaction)[0]
    var found: [(id: String, credential: CredentialRow)] = []
    // Before all others stands a zero, since no key is empty.
    let start: [UInt8] = [0]
    try transaction.scan(table, from: start.span) { (key, value) throws(LogError) in
      let row = try table.read(CredentialRow(row: value))
      if !row.isRemoved {
        found.append((String(decoding: [UInt8](copying: key), as: UTF8.self), row))
      }
      return .next
    }
    return found
  }

  /// The ids of those that were removed.
  package func removed(in transaction: borrowing LogReading) throws(LogError) -> [String] {
    let table = try tables.open(in: transaction)[0]
    var found: [String] = []
    let start: [UInt8] = [0]
    try transaction.scan(table, from: start.span) { (key, value) throws(LogError) in
      if try table.read(CredentialRow(row: value)).isRemoved {
        found.append(String(decoding: [UInt8](copying: key), as: UTF8.self))
      }
      return .next
    }
    return found
  }

  /// How many were ever put in.
  package func count(in transaction: borrowing LogReading) throws(LogError) -> Int {
    let table = try tables.open(in: transaction)[0]
    return try LogError.absorbing(try transaction.count(in: table))
  }

  /// Until when the upstream wants no calls of a quota group, or on a meter by its closure's name, or when it last wanted
  /// none; nil: it never said so.
  package func cooling(
    of group: String, in transaction: borrowing LogReading
  ) throws(LogError) -> CoolingRow? {
    guard (1...511).contains(group.utf8.count) else { return nil }
    let table = try tables.open(in: transaction)[1]
    return try LogError.absorbing(
      try transaction.row(forKey: Array(group.utf8).span, in: table) { CoolingRow(row: $0) })
  }

  /// By what one of the credentials for an account is chosen: what is set for it, else what is set for all.
  package func selection(
    upstream: String, account: String, in transaction: borrowing LogReading
  ) throws(LogError) -> Selection {
    let table = try tables.open(in: transaction)[2]
    for account in account.isEmpty ? [""] : [account, ""] {
      let key = CredentialsFold.poolKey(upstream: upstream, account: account)
      guard (1...511).contains(key.count) else { continue }
      let found = try LogError.absorbing(
        try transaction.row(forKey: key.span, in: table) { (row) -> Selection? in
          guard row.byteCount == 1, let selection = Selection(rawValue: Int(row.byte(at: 0))),
            Selection.allCases.contains(selection)
          else { return nil }
          return selection
        })
      if let found { return found }
    }
    return .random
  }
}
