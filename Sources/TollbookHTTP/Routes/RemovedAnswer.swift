package import Hummingbird
import JSONText
import TollbookLog

extension HTTPService {
  /// Answers that something was removed, named by a field.
  package func removed(_ field: String, _ name: String) -> Response {
    .object(position: log.head) { json in
      json.field(field, name)
      json.field("removed", true)
    }
  }
}
