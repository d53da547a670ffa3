import TollbookEvents
import TollbookHTTP

extension Event {
  /// What happened, in a line for people.
  var sentence: String { sentence(Systems.http) }
}

extension RecordedEvent {
  /// What happened, in a line for people.
  var sentence: String { sentence(Systems.http) }
}
