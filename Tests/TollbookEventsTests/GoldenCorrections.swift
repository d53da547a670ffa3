import TollbookEvents

extension GoldenEvent {
  /// What is posted beside charges that were booked before.
  static let corrections: [GoldenEvent] = [
    .init(
      .chargeCorrected,
      #"""
      charge: 1041 fetch: 1030 attempt: 2 credential: "keepa:main" operation: "keepa.product"
      moves { meter { owner: "main" unit: "tokens" } amount: -30 } moves { meter { owner_kind:
      OWNER_KIND_BUDGET owner: "spring" unit: "tokens" } window: "day 2026-11-21" amount: -20
      limit_only: true } payers { account: "acme" tags: "user=ann" kind: "keepa.product"
      weight: 3 } payers { account: "zeta" } windows: "day 2026-11-22" reason: "booked twice"
      actor: "root"
      """#,
      """
      0891081086081802220a6b656570613a6d61696e2a0d6b656570612e70726f64756374321b0a0e12046d6169
      6e2206746f6b656e7318e2ffffffffffffffff0132310a1208031206737072696e672206746f6b656e73120e
      64617920323032362d31312d323118ecffffffffffffffff0148013a210a0461636d651208757365723d616e
      6e1a0d6b656570612e70726f6475637420033a060a047a657461420e64617920323032362d31312d32324a0c
      626f6f6b65642074776963655204726f6f74
      """),
    .init(
      .invoicePosted,
      #"""
      meter { owner: "main" dimensions { name: "model" value: "flash" } unit: "EUR" } window:
      "day 2026-11-21" day: "2026-11-21" operation: "flash" invoiced: 12500000000 booked:
      13000000000 unexplained: -500000000 invoice: "\001\377" note: "bill 114" actor: "root"
      """#,
      """
      0a1b12046d61696e1a0e0a056d6f64656c1205666c6173682203455552120e64617920323032362d31312d32
      311a0a323032362d31312d32312205666c6173682880babbc82e308084f1b6303880b6ca91feffffffff0142
      0201ff4a0862696c6c203131345204726f6f74
      """),
  ]
}
