package import Hummingbird

extension Response {
  /// The same for something that was made.
  package func created(at place: String) -> Response {
    var response = self
    response.status = .created
    response.headers[.location] = place
    return response
  }
}
