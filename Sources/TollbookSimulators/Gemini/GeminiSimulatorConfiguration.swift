/// How a simulated Gemini API behaves.
package struct GeminiSimulatorConfiguration: Sendable {
  /// The models that are served.
  package var models = GeminiModel.table
  /// Names that stand for another model of the table.
  package var aliases = GeminiModel.aliases
  /// What each project may ask of each model.
  package var quota = GeminiQuota()
  /// Other quotas, by the name of the model.
  package var quotas: [String: GeminiQuota] = [:]
  /// How long a call takes before it is charged, in milliseconds.
  package var latency = 0
  /// Another seed gives other thoughts and other response ids.
  package var seed: UInt64 = 1
  /// Faults from the start.
  package var faults = GeminiFaults()
  /// The clock, milliseconds since 1970.
  package var now: @Sendable () -> Int64 = WallClock.milliseconds
  /// Waits; a test may not want to.
  package var sleep: @Sendable (_ milliseconds: Int) async -> Void = WallClock.sleep

  /// All models, generous quotas, no faults.
  package init() {}

  /// The model of a name or an alias.
  func model(_ name: String) -> GeminiModel? {
    let resolved = aliases[name] ?? name
    return models.first { $0.name == resolved }
  }

  /// The quota of a model.
  func quota(of model: String) -> GeminiQuota { quotas[model] ?? quota }
}
