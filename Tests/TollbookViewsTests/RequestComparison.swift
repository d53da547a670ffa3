import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

/// Expects the requests with idempotency keys to be what the model says.
func expectRequests(of log: EventLog, toBe model: LogModel) throws {
  let view = RequestsView(log)
  try log.read { (reading) throws(LogError) in
    for (key, expected) in model.requests {
      #expect(try view.request(key, in: reading).map { LogModel.Request($0) } == expected)
    }
    #expect(try view.request(Array(repeating: 7, count: 32), in: reading) == nil)
    #expect(try view.request([7], in: reading) == nil)
    let latest = Timestamp(milliseconds: .max)
    let all = try view.due(before: latest, limit: .max, in: reading)
    #expect(Set(all.map(\.key)) == Set(model.requests.keys))
    #expect(all.count == model.requests.count)
    let times = all.map(\.request.keepUntil)
    #expect(times == times.sorted())
    for time in [
      Timestamp.testStart.advanced(byMilliseconds: 9_000_000), Timestamp(milliseconds: 0),
    ] {
      let due = try view.due(before: time, limit: .max, in: reading)
      #expect(Set(due.map(\.key)) == Set(model.requests.filter { $0.value.keepUntil < time }.keys))
    }
    #expect(try view.due(before: latest, limit: 2, in: reading).count == min(2, all.count))
  }
}
