import Bytes
import Foundation
import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport

// What tests of the verifier do to a log to damage it.

extension Collection<UInt8> {
  var position: Position { reduce(0) { $0 << 8 | Position($1) } }
}

extension Environment {
  /// `withWriteTransaction` for tests that are asynchronous and may block all the same.
  func change(
    _ body: (inout WriteTransaction) throws(LMDBError) -> Void
  ) throws(LMDBError) {
    try withWriteTransaction { (transaction) throws(LMDBError) in try body(&transaction) }
  }

  /// Takes a row away and puts its value elsewhere, in one transaction.
  func move(
    _ value: [UInt8], from old: [UInt8]?, to new: [UInt8], in table: Table
  ) throws(LMDBError) {
    try withWriteTransaction { (transaction) throws(LMDBError) in
      if let old { _ = try transaction.delete(key: old.span, in: table) }
      try transaction.put(value.span, forKey: new.span, in: table)
    }
  }

  func rows(
    of table: Table
  ) throws(LMDBError) -> [(key: [UInt8], value: [UInt8])] {
    try withReadTransaction { (transaction) throws(LMDBError) in
      var rows: [(key: [UInt8], value: [UInt8])] = []
      try transaction.scan(table) { (key, value) throws(LMDBError) in
        rows.append(([UInt8](copying: key), [UInt8](copying: value)))
        return .next
      }
      return rows
    }
  }

  func put(_ value: [UInt8], for key: [UInt8], in table: Table) throws(LMDBError) {
    try withWriteTransaction { (transaction) throws(LMDBError) in
      try transaction.put(value.span, forKey: key.span, in: table)
    }
  }
}

extension WriteTransaction {
  /// Flips one bit in the middle of a value.
  mutating func flip(_ key: Span<UInt8>, in table: Table) throws(LMDBError) {
    guard var value = try reading.value(forKey: key, in: table) else { return }
    value[value.count / 2] ^= 4
    try put(value.span, forKey: key, in: table)
  }

  mutating func exchange(
    _ one: Position, _ other: Position, in table: Table
  ) throws(LMDBError) {
    try exchange(
      Array(repeating: 0, count: 7) + [UInt8(one)], Array(repeating: 0, count: 7) + [UInt8(other)],
      in: table)
  }

  mutating func exchange(
    _ one: [UInt8], _ other: [UInt8], in table: Table
  ) throws(LMDBError) {
    let values = try [one, other].map { (key) throws(LMDBError) in
      try reading.value(forKey: key.span, in: table) ?? []
    }
    let (first, second) = (values[0], values[1])
    try put(second.span, forKey: one.span, in: table)
    try put(first.span, forKey: other.span, in: table)
  }
}
