import Files
import Foundation

/// A file that cannot be read or written, in a sentence instead of what the library says of it.
struct FileTrouble: Error, CustomStringConvertible {
  let description: String
  /// Whether nobody reads any more what is written: that is no trouble.
  let isClosedPipe: Bool

  /// Nil: the error is of another kind.
  init?(_ error: any Error) {
    let problem = error as NSError
    guard problem.domain == NSCocoaErrorDomain else { return nil }
    isClosedPipe = Self.cause(of: problem).map { $0.code == EPIPE } ?? false
    let name = problem.userInfo[NSFilePathErrorKey] as? String
    let isWriting = problem.code >= CocoaError.fileWriteUnknown.rawValue
    let what = name ?? (isWriting ? "the output" : "a file")
    description =
      "\(what) cannot be \(isWriting ? "written" : "read"): \(Self.reason(for: problem))."
  }

  /// - Parameter file: what was to be written.
  init(writing file: String, _ error: any Error) {
    isClosedPipe = false
    description = "\(file) cannot be written: \(Self.reason(for: error as NSError))."
  }

  /// What the system says, if it was asked.
  private static func reason(for problem: NSError) -> String {
    guard let cause = cause(of: problem) else { return problem.localizedDescription }
    return Descriptors.message(Int32(cause.code))
  }

  /// The error of the system that an error of the library comes from.
  private static func cause(of problem: NSError) -> NSError? {
    let cause = (problem.userInfo[NSUnderlyingErrorKey] as? any Error).map { $0 as NSError }
    return cause.flatMap { $0.domain == NSPOSIXErrorDomain ? $0 : nil }
  }
}
