import HTTPTypes
import JSONText
import Testing
import TollbookEvents
import TollbookGateway
import TollbookSimulators
import TollbookTestSupport

@testable import Extraction

@Suite("limits that Gemini closes") struct GeminiLimitTests {
  private static let hello = #"{"contents":[{"parts":[{"text":"Say something about tolls."}]}]}"#

  @Test func `a limit for the day stays closed until the next day, whatever delay is named`()
    async throws
  {
    try await ExtractionStand.serving({
      $0.simulator.faults = GeminiFaults([GeminiFault(.http429Day, next: 1)])
    }) { stand, client in
      let first = try await client.ask("gemini-3.5-flash:generateContent", Self.hello)
      #expect(first.status == 429, "\(first.text)")
      let calls = stand.simulator.books.calls.count
      stand.time.advance(byMilliseconds: 3_600_000)
      let second = try await client.ask("gemini-3.5-flash:generateContent", Self.hello)
      #expect(second.status == 429)
      #expect(second.string("error.status") == "RESOURCE_EXHAUSTED")
      #expect(stand.simulator.books.calls.count == calls)
      // Other models have limits of their own.
      let other = try await client.ask("gemini-3.8-flash:generateContent", Self.hello)
      #expect(other.status == 200, "\(other.text)")
      stand.time.advance(byMilliseconds: 24 * 3_600_000)
      let third = try await client.ask("gemini-3.5-flash:generateContent", Self.hello)
      #expect(third.status == 200, "\(third.text)")
    }
  }

  @Test func `a limit for the minute closes for the delay that is named`() async throws {
    try await ExtractionStand.serving({
      $0.simulator.faults = GeminiFaults([GeminiFault(.http429Minute, next: 1)])
    }) { stand, client in
      let first = try await client.ask("gemini-3.5-flash:generateContent", Self.hello)
      let seconds = try #require(first.header("Retry-After").flatMap { Int64($0) })
      #expect(first.status == 429)
      #expect(1...60 ~= seconds)
      let calls = stand.simulator.books.calls.count
      let second = try await client.ask("gemini-3.5-flash:generateContent", Self.hello)
      #expect(second.status == 429)
      #expect(second.header("Retry-After").flatMap { Int64($0) } == seconds, "\(second.text)")
      #expect(stand.simulator.books.calls.count == calls)
      stand.time.advance(byMilliseconds: (seconds + 1) * 1_000)
      let third = try await client.ask("gemini-3.5-flash:generateContent", Self.hello)
      #expect(third.status == 200, "\(third.text)")
    }
  }

  @Test func `a closed limit is told as one of its model, and the key is not said to cool`()
    async throws
  {
    try await ExtractionStand.serving({
      $0.simulator.faults = GeminiFaults([GeminiFault(.http429Minute, next: 1)])
    }) { stand, client in
      let refused = try await client.ask("gemini-3.5-flash:generateContent", Self.hello)
      #expect(refused.status == 429)
      let cooled = try stand.events().compactMap { event -> CredentialCooled? in
        if case .credentialCooled(let event) = event { event } else { nil }
      }
      let event = try #require(cooled.first)
      #expect(cooled.count == 1)
      #expect(event.credential == ExtractionStand.credential)
      let until = Timestamp(milliseconds: event.untilMs)
      let logs = try await client.send(.get, "/views/ApplicationLogs")
      #expect(
        logs.text.contains(
          "\"requests of model gemini-3.5-flash are closed until \(until): "), "\(logs.text)")
      #expect(!logs.text.contains("sends nothing"))
      let list = try await client.send(.get, "/credentials")
      #expect(list.string("credentials.0.status") == "active")
      #expect(list["credentials.0.cooling_until"]?.isNull == true)
      let statuses = try await client.send(.get, "/views/vw_TokenStatus")
      #expect(statuses.text.contains("\"ACTIVE\""))
      #expect(!statuses.text.contains("COOLING"))
      _ = try await stand.gateway.lookForAlerts()
      let alerts = try await client.send(.get, "/alerts")
      #expect(alerts["alerts"]?.array?.isEmpty == true)
    }
  }
}
