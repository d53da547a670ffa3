package import TollbookEvents

/// A place in an export: where the frame that is spoken of begins, and after which event.
package struct ExportPlace: Hashable, Sendable, CustomStringConvertible {
  package let path: String
  /// Bytes before the frame.
  package let offset: UInt64
  /// The last position up to which all was sound.
  package let position: Position

  package init(path: String, offset: UInt64, position: Position) {
    self.path = path
    self.offset = offset
    self.position = position
  }

  package var description: String { "\(path), byte \(offset), after position \(position)" }
}

/// Why a file is not read as an export.
package enum ExportProblem: Error, Hashable, Sendable, CustomStringConvertible {
  case unreadable(String, reason: String)
  /// It does not begin as an export does.
  case notAnExport(String)
  /// Events as JSON lines: those are for reading.
  case jsonLines(String)
  case newerFormat(String, format: Int)
  /// It ends before its end.
  case cut(ExportPlace)
  case damaged(ExportPlace, String)

  package var description: String {
    switch self {
    case .unreadable(let path, let reason): "\(path) cannot be read: \(reason)"
    case .notAnExport(let path): "\(path) is not an export of a log"
    case .jsonLines(let path):
      "\(path) holds JSON lines. Those are for reading: they do not have the bytes that the log was"
        + " sealed over. Export with --format protobuf"
    case .newerFormat(let path, let format):
      "\(path) is an export of format \(format); this version reads up to \(ExportFormat.version)."
        + " Use the newer version"
    case .cut(let place): "\(place): the export is cut off here"
    case .damaged(let place, let problem): "\(place): \(problem)"
    }
  }

  /// Where it was found, if it is about a place inside of the file.
  package var place: ExportPlace? {
    switch self {
    case .cut(let place), .damaged(let place, _): place
    case .unreadable, .notAnExport, .jsonLines, .newerFormat: nil
    }
  }
}
