package import JSONText
package import TollbookEvents

extension ScheduleClock {
  /// The answer of `GET /schedules`: `{"schedules":[…]}`, by name.
  package func write(to json: inout JSONWriter, now: Timestamp) {
    json.object { json in
      json.array("schedules", entries) { json, entry in entry.write(to: &json, now: now) }
    }
  }
}

extension ScheduleClock.Entry {
  /// What it is at. The words are part of the HTTP API.
  private func state(at now: Timestamp) -> String {
    if running != nil { return "running" }
    if isAsked || schedule.due(now: now) != nil { return "due" }
    return schedule.isPaused ? "paused" : "waiting"
  }

  /// One object, which is the answer of `PATCH /schedules/{name}` as well: name, rule, standard_rule, moved, paused,
  /// state (`waiting`, `due`, `running` or `paused`), run_asked, next_at, running_since, last_run_at, last_ended_at,
  /// last_state, last_detail, runs.
  package func write(to json: inout JSONWriter, now: Timestamp) {
    json.object { json in
      json.field("name", schedule.name)
      json.field("rule", schedule.rule.description)
      json.field("standard_rule", schedule.standard.description)
      json.field("moved", schedule.isMoved)
      json.field("paused", schedule.isPaused)
      json.field("state", state(at: now))
      json.field("run_asked", isAsked)
      json.field("next_at", schedule.next(now: now)?.description)
      json.field("running_since", running?.description)
      json.field("last_run_at", schedule.lastRun?.description)
      json.field("last_ended_at", last?.ended.description)
      json.field("last_state", last?.state.rawValue)
      let detail = last.map { $0.detail.inOneLine(atMost: 300) } ?? ""
      json.field("last_detail", detail.isEmpty ? nil : detail)
      json.field("runs", Int64(clamping: schedule.runs))
    }
  }
}
