import TollbookArchive
import TollbookLog

/// The log of a data directory, opened only to be read: also beside the process that owns it.
struct LogOnDisk {
  let directory: DataDirectory
  let source: LogSource

  /// - Throws: `Refused` or `DataDirectoryError` if there is no data directory, `LogError` if it cannot be read.
  init(_ settings: Settings) throws {
    let path = try settings.existingDataDirectory
    directory = try DataDirectory.read(path)
    guard let environment = try directory.openToRead(mapSize: settings.log.mapSize) else {
      throw NothingWritten(path: path)
    }
    source = try LogSource(environment)
  }
}

/// A data directory that its owner has not written to yet.
struct NothingWritten: Error, CustomStringConvertible {
  let path: String

  var description: String { "\(path) holds no event log yet." }
}
