import CLMDB

/// The state of an environment at one moment, for gauges and headroom checks.
package struct EnvironmentStatistics: Sendable, Hashable {
  /// Bytes reserved for the file at most.
  package var mapSize: Int
  /// Bytes of the file up to the last page ever used. Never shrinks; free pages inside it are told
  /// by ``ReadTransaction/reusableBytes()``.
  package var usedBytes: Int
  /// Bytes of a page.
  package var pageSize: Int
  /// The number of the last commit, 0 if there was none.
  package var lastTransaction: Int
  /// Read transactions running now, in all processes, the oldest first.
  package var readers: [RunningReader]

  package var readersInUse: Int { readers.count }
  /// How many commits ago the oldest running read transaction began; nil if none is running. The
  /// pages freed since then cannot be used again before it ends.
  package var oldestReaderLag: Int? { readers.first.map { lag(of: $0) } }

  /// How many commits ago a read transaction began.
  package func lag(of reader: RunningReader) -> Int { max(0, lastTransaction - reader.transaction) }
}

/// One running read transaction.
package struct RunningReader: Sendable, Hashable {
  /// The process that runs it.
  package var process: Int
  /// The commit that it sees.
  package var transaction: Int
}

extension Environment {
  /// Looks up the state of the environment; takes microseconds.
  package func statistics() throws(LMDBError) -> EnvironmentStatistics {
    let readers = try runningReaders()
    var information = unsafe MDB_envinfo()
    var pages = MDB_stat()
    unsafe try LMDBError.check(mdb_env_info(handle, &information), .environmentInformation)
    unsafe try LMDBError.check(mdb_env_stat(handle, &pages), .environmentStatistics)
    let pageSize = Int(pages.ms_psize)
    let last = unsafe information.me_last_txnid
    return EnvironmentStatistics(
      mapSize: unsafe information.me_mapsize,
      usedBytes: unsafe (information.me_last_pgno + 1) * pageSize,
      pageSize: pageSize,
      lastTransaction: last,
      readers: readers.sorted { ($0.transaction, $0.process) < ($1.transaction, $1.process) })
  }

  /// Frees the slots of processes that died inside a read transaction; returns how many it freed.
  ///
  /// To be called at the start and now and then: a dead reader pins its pages for ever.
  @discardableResult
  package func checkReaders() throws(LMDBError) -> Int {
    var dead: Int32 = 0
    try LMDBError.check(unsafe mdb_reader_check(handle, &dead), .checkReaders)
    return Int(dead)
  }

  /// Brings everything committed to the disk; of use only with `unsafeWithoutSync`.
  package func sync() throws(LMDBError) {
    try LMDBError.check(unsafe mdb_env_sync(handle, 1), .sync)
  }

  private func runningReaders() throws(LMDBError) -> [RunningReader] {
    // LMDB tells only as text: a headline, then a line "pid thread txnid" per slot, "-" if idle.
    var lines = ReaderLines()
    let code = unsafe withUnsafeMutablePointer(to: &lines) { lines in
      unsafe mdb_reader_list(
        handle,
        { line, context in
          // SAFETY: the context is the pointer given below, valid until the list has been told.
          guard let line = unsafe line, let context = unsafe context else { return 0 }
          unsafe context.assumingMemoryBound(to: ReaderLines.self).pointee.add(
            String(cString: line))
          return 0
        }, lines)
    }
    // Not a failure code but the answer of the callback, or a count.
    if code < 0 { throw LMDBError(code: code, .listReaders) }
    return lines.readers
  }
}

/// Collects the running transactions out of the text of `mdb_reader_list`.
private struct ReaderLines {
  var readers: [RunningReader] = []

  mutating func add(_ text: String) {
    for line in text.split(separator: "\n") {
      let columns = line.split(separator: " ")
      guard columns.count == 3, let process = Int(columns[0]), let id = Int(columns[2]) else {
        continue
      }
      readers.append(RunningReader(process: process, transaction: id))
    }
  }
}
