import Foundation
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

  /// Makes the folder of a data directory in which no log was begun yet; one that is somebody else's is refused.
  func prepareDataDirectory() throws {
    if FileManager.default.fileExists(atPath: dataDirectory) {
      return try DataDirectory.refuseOthers(in: dataDirectory, mode: mode)
    }
    try FileManager.default.createDirectory(
      atPath: dataDirectory, withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o700])
  }

  /// Takes a data directory that is there, whichever mode it is of.
  func ownExistingDataDirectory() throws -> DataDirectory {
    let path = try existingDataDirectory
    return try DataDirectory.own(path, mode: try DataDirectory.mode(of: path) ?? mode)
  }
}
