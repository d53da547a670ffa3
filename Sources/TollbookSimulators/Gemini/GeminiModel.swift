/// One model of the simulated provider: its limits and how it counts what it is shown.
package struct GeminiModel: Sendable, Hashable {
  /// The name without `models/`, such as `gemini-3.5-flash`.
  package var name: String
  /// The most tokens of a prompt.
  package var inputLimit: Int
  /// The most tokens of an answer, thoughts included.
  package var outputLimit: Int
  /// Tokens of one page of a PDF.
  package var tokensPerPage: Int
  /// Tokens of one image.
  package var tokensPerImage: Int
  /// Whether it thinks unless the request forbids it. Other models think only when they are asked to.
  package var thinks: Bool

  /// A model; the limits are those of all current models unless given.
  package init(
    _ name: String, inputLimit: Int = 1_048_576, outputLimit: Int = 65_536, tokensPerPage: Int,
    tokensPerImage: Int, thinks: Bool
  ) {
    self.name = name
    self.inputLimit = inputLimit
    self.outputLimit = outputLimit
    self.tokensPerPage = tokensPerPage
    self.tokensPerImage = tokensPerImage
    self.thinks = thinks
  }

  /// The models that are served unless configured otherwise.
  ///
  /// Rates per page and image: the provider's page on media resolution, at its default level; its page on documents
  /// names 258 per page for all models, so an account must be read from the answer and not from this table.
  package static let table = [
    GeminiModel("gemini-3.8-flash", tokensPerPage: 560, tokensPerImage: 1120, thinks: true),
    GeminiModel("gemini-3.5-flash", tokensPerPage: 560, tokensPerImage: 1120, thinks: true),
    GeminiModel("gemini-3.5-flash-lite", tokensPerPage: 560, tokensPerImage: 1120, thinks: false),
    GeminiModel("gemini-3.1-pro-preview", tokensPerPage: 560, tokensPerImage: 1120, thinks: true),
    GeminiModel("gemini-2.5-pro", tokensPerPage: 256, tokensPerImage: 258, thinks: true),
    GeminiModel("gemini-2.5-flash", tokensPerPage: 256, tokensPerImage: 258, thinks: true),
  ]

  /// Names that stand for another model.
  package static let aliases = ["gemini-flash-lite-latest": "gemini-3.5-flash-lite"]
}
