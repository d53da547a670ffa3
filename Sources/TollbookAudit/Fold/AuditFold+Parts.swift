import Bytes
import TollbookEvents

/// The part of a cost that is for one resource of a call, and one payer's.
struct AuditPart {
  /// Who pays; nil: not known.
  var account: Int?
  /// The number of the payer.
  var payer = 0
  /// The place of the resource; nil: it is for no resource, or none is known.
  var place: Int?
  /// Its index among the resources of the call.
  var index: Int?
  /// Where there is no place: the kind that is told, by the number of its name; nil: not told.
  var kind: Int?
  var amount: Int64
  /// What became of it, where a share tells.
  var use = Use.unspecified
  /// Position of the `CacheWritten` that it paid for; 0: not told.
  var written: Position = 0
}

extension AuditFold {
  /// Divides what a charge moves: by its shares, or by the weights if they are not all of it.
  ///
  /// - Parameter number: of the move among those that are not limits only.
  mutating func parts(
    of event: ChargedFields, _ move: MoveFields, _ number: Int, _ payers: ShortList<AuditPayer>,
    _ record: RawSpan
  ) -> [AuditPart] {
    guard event.isWhole(move, number) else {
      return parts(move.amount, over: payers, of: event.fetch)
    }
    var parts: [AuditPart] = []
    parts.reserveCapacity(event.shares.count)
    for (hint, share) in event.shares.enumerated() {
      var part = AuditPart(
        account: payers[share.payer].account, payer: share.payer,
        amount: event.amount(of: share, move: number), use: share.use, written: share.written)
      if share.resource.isEmpty {
        part.kind = names.number(of: ByteName(bytes: []))
      } else {
        let place = place(of: share.resource, record, near: hint, in: event.fetch)
        part.place = place
        part.index = index(of: place, near: hint, in: event.fetch)
      }
      parts.append(part)
    }
    return parts
  }

  /// The place of a resource that a call probably names.
  private mutating func place(
    of range: Range<Int>, _ record: RawSpan, near hint: Int, in fetch: Position
  ) -> Int {
    if let expected = calls[fetch]?.resource(hint),
      record.extracting(range).elementsEqual(shelf[expected].name.bytes)
    {
      return expected
    }
    return shelf.place(of: range, in: record)
  }

  /// Divides an amount over payers, and what each pays over its resources of the call.
  mutating func parts(
    _ amount: Int64, over payers: ShortList<AuditPayer>, of fetch: Position
  ) -> [AuditPart] {
    let call = calls[fetch]
    let amounts = payers.dividing(amount)
    var parts: [AuditPart] = []
    for (number, (payer, amount)) in zip(payers, amounts).enumerated() {
      guard let call else {
        parts.append(
          AuditPart(account: payer.account, payer: number, kind: payer.kind, amount: amount))
        continue
      }
      let indices = indices(of: payer, in: call)
      if indices.isEmpty {
        parts.append(
          AuditPart(account: payer.account, payer: number, kind: payer.kind, amount: amount))
      }
      for (index, amount) in zip(indices, call.divided(amount, over: indices)) {
        parts.append(
          AuditPart(
            account: payer.account, payer: number, place: call.resources[index], index: index,
            amount: amount))
      }
    }
    return parts
  }

  /// The resources of a call that somebody pays for.
  private mutating func indices(of payer: AuditPayer, in call: AuditCall) -> [Int] {
    // Where no kinds are told, as of a call that began in format 1, there is one payer.
    guard let kind = payer.kind, call.tellsKinds else { return Array(call.resources.indices) }
    return call.resources.indices.filter { index in
      call.demand(ofResource: index)?.account == payer.account
        && names.number(of: shelf[call.resources[index]].name.kind) == kind
    }
  }

  /// The group of a part, where groups are resources, classes of them, or who pays.
  mutating func group(of part: AuditPart) -> AuditGroups.Key {
    if options.grouping == .account { return part.account.map { .name($0) } ?? .unknown }
    if let place = part.place { return group(ofResource: shelf[place].name) }
    guard let kind = part.kind else { return .unknown }
    if options.grouping == .kind || names.all[kind].bytes.isEmpty { return .name(kind) }
    return .unknown
  }

  // MARK: Payers

  func payers(_ account: Int?) -> ShortList<AuditPayer> { ShortList(AuditPayer(account: account)) }

  mutating func payers(of event: ChargedFields, _ record: RawSpan) -> ShortList<AuditPayer> {
    var payers = ShortList<AuditPayer>()
    for payer in event.payers {
      payers.append(
        AuditPayer(
          account: names.number(of: payer.account, in: record),
          kind: payer.kind.map { names.number(of: $0, in: record) }, weight: payer.weight))
    }
    return payers.isEmpty ? self.payers(calls[event.fetch]?.account) : payers
  }

  mutating func payers(_ told: [Payer]) -> ShortList<AuditPayer> {
    var payers = ShortList<AuditPayer>()
    for payer in told {
      payers.append(
        AuditPayer(
          account: names.number(of: payer.account), kind: names.number(of: payer.kind),
          weight: payer.weight))
    }
    return payers
  }
}

extension ShortList<AuditPayer> {
  /// An amount divided over the payers by their weights.
  func dividing(_ amount: Int64) -> [Int64] {
    count == 1 ? [amount] : divide(amount, over: map(\.weight))
  }
}

extension [AuditPart] {
  /// What was expected of a cost that is divided into these parts: over the payers as the cost itself, and of each over
  /// what it pays for.
  func dividing(_ expected: Int64) -> [Int64] {
    let amounts = map(\.amount)
    if amounts.reduce(0, &+) == expected { return amounts }
    let payers = Set(map(\.payer)).sorted()
    let sums = payers.map { payer in
      reduce(0) { $1.payer == payer ? $0 &+ $1.amount : $0 }
    }
    var expectations = amounts
    for (payer, expected) in zip(payers, divide(expected, over: sums)) {
      let own = indices.filter { self[$0].payer == payer }
      for (index, part) in zip(own, divide(expected, over: own.map { amounts[$0] })) {
        expectations[index] = part
      }
    }
    return expectations
  }
}
