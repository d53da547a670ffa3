import Testing
import TollbookEvents

@testable import TollbookGateway

/// The body of `PATCH /schedules/{name}`.
@Suite struct ScheduleChangeTests {
  private func change(_ json: String) throws -> ScheduleChange {
    try ScheduleChange(json: Array(json.utf8))
  }

  @Test func `each member is read, and what is left out or null stays`() throws {
    let all = try change(#"{"rule": "every 10m", "paused": true, "run_now": true}"#)
    #expect(all.rule?.description == "every 10m")
    #expect(all.isPaused == true)
    #expect(all.isAskedNow)
    let one = try change(#"{"rule": null, "paused": false}"#)
    #expect(one.rule == nil)
    #expect(one.isPaused == false)
    #expect(!one.isAskedNow)
  }

  @Test(arguments: [
    ("{}", nil, "nothing is to be changed"), (#"{"run_now":false}"#, nil, "nothing is to be"),
    (#"{"rule":null}"#, nil, "nothing is to be changed"),
    ("[]", nil, "must be an object, not an array"),
    (#"{"paused":tru}"#, nil, "at byte"), ("", nil, "at byte 0"),
    (#"{"pause":true}"#, "pause", "“pause” is no member of this body; it takes rule, paused"),
    (#"{"paused":true,"paused":false}"#, "paused", "paused stands twice"),
    (#"{"paused":"yes"}"#, "paused", "paused must be true or false, not a string"),
    (#"{"rule":5}"#, "rule", "rule must be a string, not a number"),
    (#"{"rule":"daily 03:00 Mars/Olympus"}"#, "rule", "there is no time zone “Mars/Olympus”"),
    (#"{"run_now":1}"#, "run_now", "run_now must be true or false, not a number"),
  ])
  func `what is no change is refused, and the error names the member`(
    json: String, field: String?, message: String
  ) {
    let problem = #expect(throws: ScheduleProblem.self) { try change(json) }
    #expect(problem?.field == field)
    #expect(problem?.description.contains(message) == true, "\(problem?.description ?? "")")
  }

  @Test func `a body of a megabyte is not read`() {
    let problem = #expect(throws: ScheduleProblem.self) {
      try change(String(repeating: " ", count: 1 << 20))
    }
    #expect(problem?.description == "the body has more than 4096 bytes")
  }
}
