package import TollbookForecast
import TollbookGateway

extension WhatIfKind {
  /// Answers that are kept, by what they cost in tokens. A call for one brings nothing else; what is passed through is not
  /// kept, and costs the same with any windows.
  package static let gemini = WhatIfKind(
    GeminiUpstream.answer, limit: .untold, prices: .recorded,
    standard: GeminiUpstream.standardFreshness,
    isOperation: { $0 == GeminiUpstream.generate || $0 == GeminiUpstream.stream })
}
