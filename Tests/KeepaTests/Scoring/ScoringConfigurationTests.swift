import Keepa
import Testing
import TollbookUpstreams

@Suite("the settings of the score") struct ScoringConfigurationTests {
  private func read(_ text: String) throws(ScoringConfigurationError) -> ScoringConfiguration {
    try ScoringConfiguration(json: Array(text.utf8))
  }

  @Test func `an empty file is the standard`() throws {
    #expect(try read("{}") == ScoringConfiguration())
  }

  @Test func `the text that tells settings apart reads back as the same settings`() throws {
    let changed = try read(
      """
      {"buy_ratio":null,"cautious_price":true,"target_roi":450,"drops_factor":1300,
      "rising_percent":150,"falling_percent":50,"beside_amazon_percent":30,
      "amazon_holds_percent":10,"weights":{"roi":1,"velocity":2,"competition":3,"stability":4},
      "roi":[{"at":-100,"points":0},{"at":500,"points":100}],
      "competition":[{"at":1,"points":90}],"stability":[{"at":10,"points":80}],
      "bands":{"none":{"from":0,"points":1},"low":{"from":2,"points":2},
      "medium":{"from":3,"points":3},"high":{"from":4,"points":4},
      "very_high":{"from":5,"points":5},"top":{"from":6,"points":6}}}
      """)
    #expect(changed.buyRatio == nil)
    #expect(changed.bands.band(of: 5) == .veryHigh)
    #expect(changed.roi.points(at: 200) == 50)
    for settings in [changed, ScoringConfiguration()] {
      #expect(try read(settings.version) == settings)
      #expect(try read(settings.version).version == settings.version)
    }
  }

  @Test(arguments: [
    #"{"buy_ratio":4999}"#, #"{"buy_ratio":null}"#, #"{"cautious_price":true}"#,
    #"{"target_roi":301}"#, #"{"drops_factor":999}"#, #"{"rising_percent":121}"#,
    #"{"falling_percent":79}"#, #"{"beside_amazon_percent":51}"#, #"{"amazon_holds_percent":1}"#,
    #"{"weights":{"roi":45,"velocity":30,"competition":15,"stability":11}}"#,
    #"{"roi":[{"at":0,"points":0}]}"#, #"{"competition":[{"at":0,"points":0}]}"#,
    #"{"stability":[{"at":0,"points":0}]}"#,
  ])
  func `whatever is changed makes another text`(file: String) throws {
    #expect(try read(file).version != ScoringConfiguration().version)
  }

  @Test(arguments: [
    (#"{"roi_points":1}"#, "the text: “roi_points” is not known here"),
    (#"{"rules":2}"#, "rules: 2 is not from 1 to 1"),
    (#"{"target_roi":-1}"#, "target_roi: -1 is negative"),
    (#"{"buy_ratio":10001}"#, "buy_ratio: 10001 is not from 0 to 10000"),
    (#"{"target_roi":30.5}"#, "target_roi: this must be a whole number, not a number"),
    (#"{"cautious_price":"yes"}"#, "cautious_price: this must be true or false, not a string"),
    (#"{"roi":[]}"#, "roi: this is empty"),
    (
      #"{"roi":[{"at":1,"points":1},{"at":1,"points":2}]}"#,
      "roi[1].at: this is not above the one before"
    ),
    (#"{"roi":[{"at":1,"points":101}]}"#, "roi[0].points: 101 is not from 0 to 100"),
    (#"{"weights":{"roi":1}}"#, "weights.velocity: this is missing"),
    (
      #"{"weights":{"roi":0,"velocity":0,"competition":1,"stability":1}}"#,
      "weights: this is empty"
    ),
    (#"{"falling_percent":120}"#, "rising_percent: this is not above the one before"),
  ])
  func `what is wrong is named`(file: String, message: String) {
    let error = #expect(throws: ScoringConfigurationError.self) { try read(file) }
    #expect(error?.description == message)
  }

  @Test(arguments: [
    (Int64(-500), Int64(0)), (0, 0), (150, 30), (299, 60), (300, 60), (650, 80), (1_000, 100),
    (.max, 100), (.min, 0),
  ])
  func `points lie on straight lines between knots`(roi: Int64, points: Int64) {
    #expect(ScoringConfiguration().roi.points(at: roi) == points)
  }
}
