import CLMDB
import Glibc
import Synchronization

// Each kind of transaction has three doors, which differ only in what the closure may throw: an
// error of the caller's that can carry a storage failure, `LMDBError` or nothing, or anything.
// Where a closure throws a typed error, its signature must be written out:
// `{ (txn) throws(LogError) in … }`. The compiler picks the door by that, so the formatter's
// warning about closures that look alike is switched off here.

// swift-format-ignore: AmbiguousTrailingClosureOverload
extension Environment {
  /// Lends a view of the last commit to `body`.
  ///
  /// May be called from async code: it cannot suspend, and never waits for the writer.
  ///
  /// - Returns: What `body` returned; no span can leave.
  /// - Throws: What `body` throws, or ``LMDBError`` (`readersFull`) wrapped as `storage`.
  package func withReadTransaction<R: ~Copyable, E: StorageFailure>(
    _ body: (borrowing ReadTransaction) throws(E) -> R
  ) throws(E) -> R {
    try read(E.storage, body)
  }

  /// Lends a view of the last commit to a closure that throws ``LMDBError`` or nothing.
  package func withReadTransaction<R: ~Copyable>(
    _ body: (borrowing ReadTransaction) throws(LMDBError) -> R
  ) throws(LMDBError) -> R {
    try read({ $0 }, body)
  }

  /// Lends a view of the last commit to a closure that throws anything.
  @_disfavoredOverload
  package func withReadTransaction<R: ~Copyable>(
    _ body: (borrowing ReadTransaction) throws -> R
  ) throws -> R {
    try read({ $0 }, body)
  }

  private func read<R: ~Copyable, E: Error>(
    _ wrap: (LMDBError) -> E, _ body: (borrowing ReadTransaction) throws(E) -> R
  ) throws(E) -> R {
    let transaction: ReadTransaction
    do throws(LMDBError) {
      transaction = unsafe try Self.begin(handle, .readOnly)
    } catch { throw wrap(error) }
    return try body(transaction)
  }
}

// swift-format-ignore: AmbiguousTrailingClosureOverload
extension Environment {
  /// Lends the write transaction to `body`, commits when it returns and gives up when it throws.
  ///
  /// Waits for another writer to finish. The commit is durable when this returns. To be called on
  /// a thread that may block, and not from inside another write transaction of the same thread.
  ///
  /// - Returns: What `body` returned, once it is committed.
  /// - Throws: What `body` throws, or ``LMDBError`` wrapped as `storage`; nothing is stored then.
  ///   After a failure with `isOutOfSpace` reading goes on and writing may be tried again.
  @available(*, noasync)
  package func withWriteTransaction<R: ~Copyable, E: StorageFailure>(
    _ body: (inout WriteTransaction) throws(E) -> R
  ) throws(E) -> R {
    try write(E.storage, body)
  }

  /// Lends the write transaction to a closure that throws ``LMDBError`` or nothing.
  @available(*, noasync)
  package func withWriteTransaction<R: ~Copyable>(
    _ body: (inout WriteTransaction) throws(LMDBError) -> R
  ) throws(LMDBError) -> R {
    try write({ $0 }, body)
  }

  /// Lends the write transaction to a closure that throws anything.
  @available(*, noasync) @_disfavoredOverload
  package func withWriteTransaction<R: ~Copyable>(
    _ body: (inout WriteTransaction) throws -> R
  ) throws -> R {
    try write({ $0 }, body)
  }

  private func write<R: ~Copyable, E: Error>(
    _ wrap: (LMDBError) -> E, _ body: (inout WriteTransaction) throws(E) -> R
  ) throws(E) -> R {
    let thread = UInt(pthread_self())
    precondition(
      writer.load(ordering: .relaxed) != thread,
      "a write transaction inside a write transaction would wait for itself")
    var transaction: WriteTransaction
    do throws(LMDBError) {
      transaction = WriteTransaction(unsafe try Self.begin(handle, []), of: self)
    } catch { throw wrap(error) }
    writer.store(thread, ordering: .relaxed)
    // The next writer may have come by then; its mark must stay.
    defer { _ = writer.compareExchange(expected: thread, desired: 0, ordering: .relaxed) }
    do throws(LMDBError) { unsafe try FileExtent.extend(handle) } catch { throw wrap(error) }
    let result = try body(&transaction)
    do throws(LMDBError) { try transaction.commit() } catch { throw wrap(error) }
    return result
  }
}
