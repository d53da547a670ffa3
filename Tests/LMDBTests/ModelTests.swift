import Bytes
import LMDB
import Testing

/// Random transactions against an environment and a dictionary, which must agree after each.
@Suite struct ModelTests {
  struct GivenUp: Error {}

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `an environment behaves as a sorted dictionary`(seed: UInt64) throws {
    let folder = try TemporaryFolder()
    var random = SeededGenerator(seed: seed)
    var model: [[UInt8]: [UInt8]] = [:]
    for _ in 1...4 {  // Opens it anew each time.
      let environment = try folder.open()
      let table = try environment.openTables(["model"])[0]
      for _ in 1...25 {
        try transact(environment, table, &model, &random)
        try compare(environment, table, model, &random)
      }
    }
  }

  private func transact(
    _ environment: Environment, _ table: Table, _ model: inout [[UInt8]: [UInt8]],
    _ random: inout SeededGenerator
  ) throws {
    var changed = model
    let isGivenUp = Int.random(in: 0..<4, using: &random) == 0
    do {
      try environment.withWriteTransaction { txn in
        for _ in 0..<Int.random(in: 0..<20, using: &random) {
          try change(&txn, table, &changed, &random)
        }
        if isGivenUp { throw GivenUp() }
      }
      model = changed
    } catch is GivenUp {}
  }

  private func change(
    _ txn: inout WriteTransaction, _ table: Table, _ model: inout [[UInt8]: [UInt8]],
    _ random: inout SeededGenerator
  ) throws {
    let key = randomBytes(1...3, below: 5, &random)
    let length = Int.random(in: 0...3000, using: &random)
    let value = [UInt8](repeating: .random(in: 0...255, using: &random), count: length)
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<50:
      try txn.put(value.span, forKey: key.span, in: table)
      model[key] = value
    case 50..<65:
      let inserted = try txn.insert(value.span, forKey: key.span, in: table)
      #expect(inserted == (model[key] == nil))
      if inserted { model[key] = value }
    case 65..<98:
      let deleted = try txn.delete(key: key.span, in: table)
      #expect(deleted == (model.removeValue(forKey: key) != nil))
    default:
      try txn.clear(table)
      model = [:]
    }
    let found = try txn.reading.value(forKey: key.span, in: table)
    #expect(found == model[key])
  }

  private func compare(
    _ environment: Environment, _ table: Table, _ model: [[UInt8]: [UInt8]],
    _ random: inout SeededGenerator
  ) throws {
    let sorted = model.keys.sorted { $0.lexicographicallyPrecedes($1) }
    let bound = randomBytes(1...3, below: 5, &random)
    let prefix = randomBytes(0...2, below: 5, &random)
    for descending in [false, true] {
      let all = descending ? sorted.reversed() : sorted
      let within = all.filter {
        descending ? !bound.lexicographicallyPrecedes($0) : !$0.lexicographicallyPrecedes(bound)
      }
      try environment.withReadTransaction { txn in
        var found: [[UInt8]] = []
        try txn.scan(table, descending: descending) { key, value in
          let key = [UInt8](copying: key)
          found.append(key)
          #expect([UInt8](copying: value) == model[key])
          return .next
        }
        #expect(found == all)
        found = []
        try txn.scan(table, from: bound.span, descending: descending) { key, _ in
          found.append([UInt8](copying: key))
          return .next
        }
        #expect(found == within)
        found = []
        try txn.scan(table, from: bound.span, prefix: prefix.span, descending: descending) {
          key, _ in
          found.append([UInt8](copying: key))
          return .next
        }
        #expect(found == within.filter { $0.starts(with: prefix) })
        #expect(try txn.count(in: table) == model.count)
        #expect(try txn.firstKey(in: table) == sorted.first)
        #expect(try txn.lastEntry(in: table)?.key == sorted.last)
      }
    }
  }

  private func randomBytes(
    _ lengths: ClosedRange<Int>, below limit: Int, _ random: inout SeededGenerator
  ) -> [UInt8] {
    let length = Int.random(in: lengths, using: &random)
    return (0..<length).map { _ in UInt8(Int.random(in: 0..<limit, using: &random)) }
  }
}
