package import TollbookEvents

extension RecordedEvent {
  /// The fetch that the event belongs to, as the index has it: the position of its FetchStarted.
  package var fetch: Position? { IndexKeys(of: event, at: position).fetch }
}
