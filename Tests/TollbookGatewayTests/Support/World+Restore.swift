import Foundation
import TollbookEvents
import TollbookLog
import TollbookTestSupport

@testable import TollbookGateway

extension World {
  private var file: String { "\(folder.path)/data/data.mdb" }
  private var copy: String { "\(folder.path)/copy.mdb" }

  /// Keeps a copy of the log as it is. Nothing may be written meanwhile.
  func keepCopy() throws {
    try? FileManager.default.removeItem(atPath: copy)
    try FileManager.default.copyItem(atPath: file, toPath: copy)
  }

  /// Ends, loses what was written since the copy was kept, and starts from the copy.
  func restoreCopy(orderly: Bool = true) async throws {
    await end(orderly: orderly)
    try await reopen { [file, copy] folder in
      try FileManager.default.removeItem(atPath: file)
      try FileManager.default.copyItem(atPath: copy, toPath: file)
      try Self.noteRestore(in: folder)
    }
  }

  /// Notes that the closed log was restored up to its head.
  static func noteRestore(in folder: TemporaryFolder) throws {
    let importer = try LogImporter(folder.own(), options: .scratch)
    try importer.begin(
      LogOrigin(
        position: importer.head, restored: importer.time.advanced(byMilliseconds: 1_000),
        isWithoutBodies: false))
  }
}

extension StoredResource {
  /// The body, if it is there.
  var body: Body? {
    if case .stored(_, let body, _) = self { body } else { nil }
  }
}
