package import TollbookEvents
package import TollbookViews

extension LogModel {
  /// A request with an idempotency key.
  package struct Request: Hashable, Sendable {
    package var state: RequestRow.State
    package var request: [UInt8]
    package var since: Timestamp
    package var keepUntil: Timestamp
    package var body: [UInt8]
    package var fetches: [Position]
  }
}

// MARK: As the view has it

extension LogModel.Request {
  package init(_ row: RequestRow) {
    self.init(
      state: row.state, request: row.request, since: row.since, keepUntil: row.keepUntil,
      body: row.body, fetches: row.fetches)
  }
}
