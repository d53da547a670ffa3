import Testing
import TollbookTestSupport

@Suite struct AuditReplayTests {
  @Test func `an audit proves that the sums of hours are what the events say`() async throws {
    let folder = try TemporaryFolder()
    let place = ["--data-dir", "data"]
    let serving = try await Serving(["serve", "--simulate", "--port", "0"] + place, in: folder)
    _ = try await serving.batch(["B09T2ZLMHB", "B0BSHF7WHW"])
    _ = try await serving.batch(["B09T2ZLMHB", "B07FZ8S74R"])
    // A proper end writes the counts of reads down.
    #expect(await serving.end().status == 0)

    for grouping in ["day", "hour", "account", "operation", "kind"] {
      let proof = try await Binary.run(
        ["audit", "--replay", "--by", grouping] + place, in: folder)
      #expect(proof.status == 0, "\(proof.output) \(proof.errors)")
      #expect(proof.lines.count == 1)
      #expect(proof.output.contains("agree with"))
    }
    let events = try await Binary.run(
      ["audit", "--replay", "--by", "resource"] + place, in: folder)
    #expect(events.status == 0)
    #expect(events.output.contains("reads the events in any case"))
    let both = try await Binary.run(
      ["audit", "--replay", "--statement", "s"] + place, in: folder)
    #expect(both.status == 2)
  }
}
