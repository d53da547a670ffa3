import Algorithms
import LMDB

/// How much of its file a log uses, and who reads it.
package struct LogSpace: Hashable, Sendable {
  /// A running reading.
  package struct Reader: Hashable, Sendable {
    /// The process that reads.
    package let process: Int
    /// How many commits ago it began.
    package let lag: Int
  }

  /// The most that the file can grow to.
  package let mapBytes: Int
  /// Up to the last page that was ever used, those included that are free again.
  package let usedBytes: Int
  /// The running readings of all processes, the oldest first.
  package let readers: [Reader]
  /// The commit that the oldest of them sees.
  private let oldest: Int

  fileprivate init(_ statistics: EnvironmentStatistics) {
    mapBytes = statistics.mapSize
    usedBytes = statistics.usedBytes
    readers = statistics.readers.map { Reader(process: $0.process, lag: statistics.lag(of: $0)) }
    oldest = statistics.readers.first?.transaction ?? .max
  }

  package var oldestReaderLag: Int { readers.first?.lag ?? 0 }

  /// The oldest running reading of each process.
  package var oldestReaders: [Reader] {
    Array(readers.uniqued(on: \.process))
  }

  /// How many of the used bytes can be written again, and how many may still be read by the oldest reader.
  package func free(
    in reading: borrowing LogReading
  ) throws(LogError) -> (reusable: Int, pinned: Int) {
    try LogError.inTables { () throws(LMDBError) in
      let reusable = try reading.reusableBytes(seenSince: oldest)
      return (reusable, try reading.reusableBytes() - reusable)
    }
  }
}

extension EventLog {
  /// How much of its file it uses, and who reads it.
  package func space() throws(LogError) -> LogSpace {
    LogSpace(try LogError.absorbing(try environment.statistics()))
  }
}
