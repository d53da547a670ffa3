package import TollbookEvents
import TollbookLog

/// Looks at every byte of an export and says what is wrong with it, and where.
package enum ExportVerifier {
  /// How far a verification is.
  package struct Progress: Sendable {
    /// Bytes of the file that were looked at, and that there are.
    package let bytes: UInt64
    package let total: UInt64
    package let position: Position
  }

  /// What a verification has found.
  package struct Report: Sendable {
    package let path: String
    /// Nil: not even the opening could be read.
    package var header: ExportHeader?
    /// All of it, or what comes before the damage.
    package var totals: ExportTotals?
    package var bytes: UInt64 = 0
    /// None, or the first one: whether what stands behind it was sealed so, nobody can tell.
    package var damages: [ExportProblem] = []
  }

  package static func verify(path: String) -> Report { verify(path: path) { _ in } }

  /// Verifies an export. What it says of a file that is none is a damage too.
  ///
  /// - Parameter progress: told after each commit; whoever throws ends the verification.
  package static func verify(
    path: String, progress: (Progress) throws -> Void
  ) rethrows -> Report {
    var report = Report(path: path)
    var reader: ExportReader
    do throws(ExportProblem) { reader = try ExportReader(path: path) } catch {
      report.damages = [error]
      return report
    }
    report.header = reader.header
    report.bytes = reader.size
    var goesOn = true
    while goesOn {
      do throws(ExportProblem) { goesOn = try reader.next() != nil } catch {
        report.damages = [error]
        goesOn = false
      }
      report.totals = reader.totals
      try progress(
        Progress(
          bytes: reader.soundBytes, total: reader.size, position: reader.totals.last))
    }
    return report
  }
}
