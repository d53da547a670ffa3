import Hummingbird

extension HTTPService {
  /// What stands in the path in the place of a parameter, decoded.
  package static func name(_ context: TollbookContext, _ parameter: String) -> String {
    let text = context.parameters.get(parameter) ?? ""
    return percentDecoded(text) ?? text
  }
}
