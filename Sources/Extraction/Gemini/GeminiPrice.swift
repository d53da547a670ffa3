import TollbookEvents

/// What tokens of a model cost, in nano-units of the currency for a million tokens.
package struct GeminiPrice: Hashable, Sendable {
  /// Prices for prompts up to a length.
  package struct Band: Hashable, Sendable {
    /// The longest prompt, in tokens; nil: any.
    package let upTo: Int64?
    package let input: Int64
    /// Nil: nobody knows, and nothing is bought.
    package let output: Int64?
    /// Nil: nobody knows, and cached tokens count in full.
    package let cached: Int64?
  }

  /// From the shortest prompts to the longest; the last is for any length.
  package let bands: [Band]

  /// What a call costs.
  package struct Cost: Hashable, Sendable {
    /// In nano-units, rounded up where a part of one is left.
    package let nanoUnits: Int64
    /// Why it is an estimate, which is never too low; empty: it is exact.
    package let estimates: [Estimate]

    package var isEstimated: Bool { !estimates.isEmpty }
  }

  /// What makes a cost an estimate, in words for people.
  package enum Estimate: String, Hashable, Sendable, CaseIterable {
    case cachedPrice = "no price of cached tokens is known, so they count in full"
    case unequalUsage =
      "the counts that the provider tells do not fit together, so the dearer reading counts"
  }

  /// What makes the cost of a call an estimate; empty: it is exact, or nobody knows it.
  package func estimates(of usage: GeminiUsage) -> [Estimate] { cost(of: usage)?.estimates ?? [] }

  /// The cost of what a call has used: (prompt − cached) · input + cached · cached + (candidates + thoughts) · output + tool
  /// use · input, each for a million tokens; of the band that the prompt is in. The fact that output includes thinking and
  /// the prompt includes what is cached is Google's own (pricing page; `UsageMetadata` in generative_service.proto).
  ///
  /// - Returns: nil if no price of output is known.
  package func cost(of usage: GeminiUsage) -> Cost? {
    guard let band = bands.first(where: { $0.upTo.map { usage.prompt <= $0 } ?? true }),
      let output = band.output
    else { return nil }
    let fresh = Int128(usage.prompt - usage.cached + usage.toolUse) * Int128(band.input)
    let cached = Int128(usage.cached) * Int128(band.cached ?? band.input)
    let answered = (Int128(usage.candidates) + Int128(usage.thoughts)) * Int128(output)
    let (units, rest) = (fresh + cached + answered).quotientAndRemainder(dividingBy: 1_000_000)
    var estimates: [Estimate] = []
    if usage.cached > 0 && band.cached == nil { estimates.append(.cachedPrice) }
    if usage.isUnequal { estimates.append(.unequalUsage) }
    return Cost(
      nanoUnits: Int64(clamping: rest > 0 ? units + 1 : units), estimates: estimates)
  }

  /// The most that a call costs with prompts and answers of up to so many tokens: whatever band the prompt is in.
  ///
  /// - Returns: nil if a price of output is missing that might be needed.
  package func bound(input: Int64, output: Int64) -> Int64? {
    var most: Int64 = 0
    for band in bands {
      let prompt = min(input, band.upTo ?? input)
      guard let cost = cost(of: GeminiUsage(prompt: prompt, candidates: output)) else { return nil }
      most = max(most, cost.nanoUnits)
      if prompt == input { break }
    }
    return most
  }
}

extension [GeminiPrice.Estimate] {
  /// All of them in one text; nil: there is none.
  package var text: String? { isEmpty ? nil : map(\.rawValue).joined(separator: "; ") }
}
