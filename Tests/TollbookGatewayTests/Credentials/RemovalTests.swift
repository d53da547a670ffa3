import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookGateway

@Suite struct `A credential that was not put in` {
  @Test(arguments: [
    ("ATLAS_API_KEY", false, "comes from the settings (ATLAS_API_KEY) and cannot be removed here"),
    ("ATLAS_API_KEY", true, "is the simulator's own key and cannot be removed"),
    ("", false, "has no secret and cannot be removed"),
  ])
  func `is not removed, and the refusal says where it comes from`(
    setting: String, isSimulated: Bool, words: String
  ) async throws {
    let folder = try TemporaryFolder()
    let log = try folder.openLog(folds: allFolds, time: ManualTime().source)
    defer { log.close() }
    let removal = RemoveCredential(
      "atlas:0fd8", actor: "operator",
      origin: .init(setting: setting, isSimulated: isSimulated))
    let refusal = await #expect(throws: AccountRefusal.self) { try await removal.run(on: log) }
    #expect(refusal?.description.contains("atlas:0fd8 \(words)") == true, "\(refusal as Any)")
    #expect(log.head == 0, "nothing is written down")

    let unknown = RemoveCredential("atlas:0000", actor: "operator", origin: nil)
    let other = await #expect(throws: AccountRefusal.self) { try await unknown.run(on: log) }
    #expect(other?.description.contains("there is no credential atlas:0000") == true)
  }
}
