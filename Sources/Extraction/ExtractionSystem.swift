import TollbookForecast
package import TollbookGateway
package import TollbookHTTP
import TollbookUpstreams

extension HTTPSystem {
  /// Reading documents with Gemini, and Gemini's own wire format. Nothing is bought: see ``reading(with:)``.
  package static let extraction: HTTPSystem = {
    var system = HTTPSystem(
      GeminiUpstream.name, title: "Gemini",
      kinds: [
        GeminiUpstream.answer: Kind("answer of a model"),
        GeminiUpstream.document: Kind("document of a job", isBought: false),
        GeminiUpstream.result: Kind("result of a job", isBought: false),
      ], dropIn: .gemini, addRoutes: { _, _ in })
    system.whatIf = [.gemini]
    system.tokenKinds = HTTPSystem.TokenKinds(
      input: GeminiUsage.inputKinds, output: GeminiUsage.outputKinds)
    system.jobResults = [ExtractOrder.job: ExtractOrder.results]
    return system
  }()

  /// The same, with the models that can be bought from.
  ///
  /// - Parameters:
  ///   - model: the name of the one that reads documents.
  ///   - second: whether a document is read once more where a check of what was read fails.
  package func reading(
    with models: GeminiModels, documentsBy model: String, second: SecondLook = .off
  ) -> HTTPSystem {
    var system = self
    system.addRoutes = { service, router in
      service.addGemini(models, to: router)
      service.addExtract(models, model: model, second: second, to: router)
      service.addExtractSchema(to: router)
    }
    return system
  }
}

extension RegisteredUpstream {
  /// - Parameter isSet: whether the settings have a key.
  package static func gemini(_ upstream: GeminiUpstream, isSet: Bool) -> RegisteredUpstream {
    RegisteredUpstream(
      GeminiUpstream.name, upstream,
      absence: isSet
        ? "" : "No active token found: no key for Gemini is set (GEMINI_API_KEY)",
      jobKinds: [.documents(upstream.models)], units: upstream.units)
  }
}
