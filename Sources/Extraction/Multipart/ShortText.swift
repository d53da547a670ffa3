extension String {
  /// A text of the sender's for a message: at most 60 characters of it.
  var shortened: String { count <= 60 ? self : prefix(60) + "…" }
}
