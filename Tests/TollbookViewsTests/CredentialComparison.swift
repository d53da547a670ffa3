import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

/// Expects credentials, what cools of them and how they are chosen to be what the model says.
func expectCredentials(of log: EventLog, toBe model: LogModel) throws {
  let view = CredentialsView(log)
  try log.read { (reading) throws(LogError) in
    let credentials = try view.credentials(in: reading)
    expectOrder(credentials.map(\.id))
    let found = credentials.map { (Array($0.id.utf8), LogModel.PutIn($0.credential)) }
    #expect(
      Dictionary(uniqueKeysWithValues: found) == model.credentials.filter { !$0.value.isRemoved })
    let removed = try view.removed(in: reading).map { Array($0.utf8) }
    #expect(Set(removed) == Set(model.credentials.filter(\.value.isRemoved).keys))
    #expect(try view.count(in: reading) == model.credentials.count)
    for (id, credential) in model.credentials {
      let row = try view.credential(String(decoding: id, as: UTF8.self), in: reading)
      #expect(row.map { LogModel.PutIn($0) } == (credential.isRemoved ? nil : credential))
    }
    for (group, cooling) in model.cooling {
      let row = try view.cooling(of: String(decoding: group, as: UTF8.self), in: reading)
      #expect(row.map { LogModel.Cooling($0) } == cooling)
    }
    #expect(try view.cooling(of: "nobody", in: reading) == nil)
    let upstreams = Set(model.pools.keys.map { $0[0] }).union([Array("nobody".utf8)])
    let accounts = Set(model.pools.keys.map { $0[1] }).union([Array("nobody".utf8)])
    for upstream in upstreams {
      for account in accounts {
        // What is set for an account comes before what is set for all.
        let selection = model.pools[[upstream, account]] ?? model.pools[[upstream, []]] ?? .random
        #expect(
          try view.selection(
            upstream: String(decoding: upstream, as: UTF8.self),
            account: String(decoding: account, as: UTF8.self), in: reading) == selection)
      }
    }
  }
}
