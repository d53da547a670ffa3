import TollbookLog

extension Settings {
  /// The data directory of a command that makes none.
  var existingDataDirectory: String {
    get throws {
      if try DataDirectory.mode(of: dataDirectory) != nil { return dataDirectory }
      // Most likely somebody who served with --simulate and left it out now.
      let simulated = Setting.simulatedDataDirectory
      let isThere = (try? DataDirectory.mode(of: simulated)) == .simulated
      let hint =
        isSimulated || !isThere ? "" : " Simulated data is in \(simulated): add --simulate."
      throw Refused("\(DataDirectoryError.missing(dataDirectory))\(hint)")
    }
  }

  /// Takes a data directory that is there, whichever mode it is of.
  func ownExistingDataDirectory() throws -> DataDirectory {
    let path = try existingDataDirectory
    return try DataDirectory.own(path, mode: try DataDirectory.mode(of: path) ?? mode)
  }
}
