package import TollbookEvents
package import TollbookLog

/// Which commits of a log an export holds, and where its tree begins.
///
/// An export holds whole commits: the roots are of whole commits. One of which only a part was asked for is in it whole.
package struct ExportPlan: Hashable, Sendable {
  package let header: ExportHeader
  /// The last position, which ends a commit.
  package let last: Position

  /// - Parameters:
  ///   - start: the first event that is wanted; nil: the first that there is.
  ///   - end: the last event that is wanted; nil: the last that there is.
  /// - Throws: `EventRangeProblem`, or `LogError`: `.beforeBase` if `start` is not in a log that goes on from a snapshot.
  package init(
    of source: LogSource, mode: LogMode, from start: Moment? = nil, to end: Moment? = nil,
    bodies: Bool
  ) throws {
    let range = try EventRange(from: start, to: end, in: source)
    let reader = source.reader
    let (header, last) = try source.read {
      (transaction) throws(LogError) in
      let first =
        try reader.commit(holding: range.after + 1, in: transaction)?.first ?? range.after + 1
      let last =
        range.through > range.after
        ? try reader.commit(holding: range.through, in: transaction)?.last ?? range.through
        : first - 1
      let before =
        first > 1 ? try reader.commit(holding: first - 1, in: transaction) : nil
      let header = ExportHeader(
        mode: mode, first: first,
        frontier: try reader.frontier(size: first - 1, in: transaction),
        time: before?.time ?? Timestamp(milliseconds: .min), hasBodies: bodies)
      return (header, last)
    }
    self.header = header
    self.last = last
  }
}
