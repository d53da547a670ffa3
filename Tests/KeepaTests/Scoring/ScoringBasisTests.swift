import Keepa
import Testing
import TollbookUpstreams

@Suite("what scores are made from") struct ScoringBasisTests {
  @Test func `other fees or other settings are another version, the same ones the same`() throws {
    let built = try ScoringBasis()
    #expect(try ScoringBasis(fees: FeeTables.builtInJSON).version == built.version)
    #expect(built.version.count == 16)
    var configuration = ScoringConfiguration()
    configuration.buyRatio = FeeRate(hundredths: 4_999)
    let otherRatio = try ScoringBasis(configuration: configuration)
    configuration.buyRatio = nil
    let noRatio = try ScoringBasis(configuration: configuration)
    let text = String(decoding: FeeTables.builtInJSON, as: UTF8.self)
    let otherFees = try ScoringBasis(
      fees: Array(text.replacing("\"note\": \"", with: "\"note\": \"x").utf8))
    let versions = [built, otherRatio, noRatio, otherFees].map(\.version)
    #expect(Set(versions).count == versions.count)
  }

  @Test(arguments: [
    ("", "the text: "), ("{}", "version: this is missing"),
    ("{\"version\":2}", "version: 2 is not from 1 to 1"),
    ("{\"version\":1,\"marketplaces\":[{\"domain\":7}]}", "marketplaces[0]"),
  ])
  func `a broken file of fees is refused with the place`(_ text: String, _ words: String) {
    let error = #expect(throws: FeeTableError.self) {
      try ScoringBasis(fees: Array(text.utf8))
    }
    #expect(error.map { "\($0)".hasPrefix(words) } == true, "\(String(describing: error))")
  }
}
