import TollbookEvents

extension GoldenEvent {
  /// The fields that came after those of format 1, and what fields the older ones leave out.
  static let newFields: [GoldenEvent] = [
    .init(
      .fetchStarted,
      #"""
      behind: true max_age_seconds: 0 asked_ms: 1795248000001 demands { account: "acme" tags:
      "a" tags: "b" access_key: "key-1" content_set: 9223372036854775808 age_basis:
      AGE_BASIS_UPSTREAM max_age_seconds: 3600 refresh: REFRESH_REASON_AHEAD asked_ms:
      1795248000002 idempotency: "\001\377" } demands { account: "zeta" age_basis:
      AGE_BASIS_NEVER_BUY refresh: REFRESH_REASON_WARM } demand_of: 0 demand_of: 1 weights: 3
      weights: 0 moves { meter { owner_kind: OWNER_KIND_BUDGET owner: "spring" dimensions {
      name: "model" value: "flash" } dimensions { name: "tier" value: "paid" } unit: "EUR" }
      window: "day 2026-11-21" amount: 4 reserved: 5 expected: 2 basis: BASIS_PRICE granted: -7
      window_ends_ms: 1795305600000 limit_only: true } moves { meter { owner: "main" unit:
      "tokens" } amount: 9223372036854775807 }
      """#,
      """
      48015000588198fae89f3462300a0461636d651201611201621a056b65792d31208080808080808080800128
      0130901c3802408298fae89f344a0201ff620a0a047a657461280338036a020001720203007a5b0a2d080312
      06737072696e671a0e0a056d6f64656c1205666c6173681a0c0a04746965721204706169642203455552120e
      64617920323032362d31312d3231180420052802300138f9ffffffffffffffff014080e8b584a03448017a1a
      0a0e12046d61696e2206746f6b656e7318ffffffffffffffff7f
      """),
    .init(
      .fetchAttemptFailed,
      #"""
      moves { meter { owner_kind: OWNER_KIND_BUDGET owner: "spring" dimensions { name: "model"
      value: "flash" } dimensions { name: "tier" value: "paid" } unit: "EUR" } window:
      "day 2026-11-21" amount: 4 reserved: 5 expected: 2 basis: BASIS_PRICE granted: -7
      window_ends_ms: 1795305600000 limit_only: true } moves { meter { owner: "main" unit:
      "tokens" } amount: 9223372036854775807 } payers { account: "acme" tags: "a" tags: "b"
      kind: "keepa.product" weight: 3 } payers { account: "zeta" }
      """#,
      """
      625b0a2d08031206737072696e671a0e0a056d6f64656c1205666c6173681a0c0a0474696572120470616964
      2203455552120e64617920323032362d31312d3231180420052802300138f9ffffffffffffffff014080e8b5
      84a0344801621a0a0e12046d61696e2206746f6b656e7318ffffffffffffffff7f6a1d0a0461636d65120161
      1201621a0d6b656570612e70726f6475637420036a060a047a657461
      """),
    .init(
      .fetchSucceeded,
      #"""
      operation: "keepa.product" payers { account: "acme" tags: "a" tags: "b" kind:
      "keepa.product" weight: 3 } payers { account: "zeta" } handed_on { resource: "r" reason:
      HAND_ON_REASON_INCOMPLETE detail: "a filter was dropped" } handed_on { reason:
      HAND_ON_REASON_UNASKED }
      """#,
      """
      3a0d6b656570612e70726f64756374421d0a0461636d651201611201621a0d6b656570612e70726f64756374
      200342060a047a6574614a1b0a017210021a14612066696c746572207761732064726f707065644a021003
      """),
    .init(
      .cacheWritten,
      #"""
      costs { unit: "tokens" amount: 2 } costs { unit: "EUR" amount: -1500000000 } summary_form:
      SUMMARY_FORM_SEALED replaced: 12 replaced: 300
      """#,
      """
      7a0a0a06746f6b656e7310027a100a034555521080a2dfb4faffffffff018001028a01030cac02
      """),
    .init(
      .cachePurged,
      #"""
      costs { unit: "tokens" amount: 2 } costs { unit: "EUR" amount: -1500000000 } actor: "op"
      """#,
      """
      420a0a06746f6b656e73100242100a034555521080a2dfb4faffffffff014a026f70
      """),
    .init(
      .readsTallied,
      #"""
      rows { resource: "r" content_set: 18446744073709551615 wanted_content_set: 4294967296
      peek: true booked: 1 unmet: 2 operation: "keepa.product" tags: "a" tags: "b" age_basis:
      AGE_BASIS_LIVE written: 301 costs { unit: "tokens" amount: 2 } costs { unit: "EUR" amount:
      -1500000000 } } unmet { resource: "s" unmet: 3 operation: "keepa.product" }
      """#,
      """
      0a560a017210ffffffffffffffffff01508080808010580160016802720d6b656570612e70726f647563747a
      01617a01628001028801ad0292010a0a06746f6b656e7310029201100a034555521080a2dfb4faffffffff01
      12140a01736803720d6b656570612e70726f64756374
      """),
    .init(
      .entriesSwept,
      #"""
      entries { resource: "r" content_set: 18446744073709551615 written: 301 until_ms:
      1795852800000 evicted: true } entries { resource: "s" written: 302 }
      """#,
      """
      0a1a0a017210ffffffffffffffffff0118ad022080a0ac89a23428010a060a017318ae02
      """),
    .init(
      .tokensCharged,
      #"""
      shares { resource: "a" amounts: 2 amounts: -1 payer: 1 use: USE_HANDED_ON written: 301 }
      shares { amounts: 0 use: USE_SERVED } moves { meter { owner_kind: OWNER_KIND_BUDGET owner:
      "spring" dimensions { name: "model" value: "flash" } dimensions { name: "tier" value:
      "paid" } unit: "EUR" } window: "day 2026-11-21" amount: 4 reserved: 5 expected: 2 basis:
      BASIS_PRICE granted: -7 window_ends_ms: 1795305600000 limit_only: true } moves { meter {
      owner: "main" unit: "tokens" } amount: 9223372036854775807 } payers { account: "acme"
      tags: "a" tags: "b" kind: "keepa.product" weight: 3 } payers { account: "zeta" } counts {
      name: "thoughts" count: 12 }
      """#,
      """
      52170a01611a0b02ffffffffffffffffff012001280630ad0252051a01002801625b0a2d0803120673707269
      6e671a0e0a056d6f64656c1205666c6173681a0c0a04746965721204706169642203455552120e6461792032
      3032362d31312d3231180420052802300138f9ffffffffffffffff014080e8b584a0344801621a0a0e12046d
      61696e2206746f6b656e7318ffffffffffffffff7f6a1d0a0461636d651201611201621a0d6b656570612e70
      726f6475637420036a060a047a657461720c0a0874686f7567687473100c
      """),
    .init(
      .reservationReleased,
      #"""
      moves { meter { owner_kind: OWNER_KIND_BUDGET owner: "spring" dimensions { name: "model"
      value: "flash" } dimensions { name: "tier" value: "paid" } unit: "EUR" } window:
      "day 2026-11-21" amount: 4 reserved: 5 expected: 2 basis: BASIS_PRICE granted: -7
      window_ends_ms: 1795305600000 limit_only: true } moves { meter { owner: "main" unit:
      "tokens" } amount: 9223372036854775807 }
      """#,
      """
      325b0a2d08031206737072696e671a0e0a056d6f64656c1205666c6173681a0c0a0474696572120470616964
      2203455552120e64617920323032362d31312d3231180420052802300138f9ffffffffffffffff014080e8b5
      84a0344801321a0a0e12046d61696e2206746f6b656e7318ffffffffffffffff7f
      """),
    .init(
      .chargeInDoubt,
      #"""
      moves { meter { owner_kind: OWNER_KIND_BUDGET owner: "spring" dimensions { name: "model"
      value: "flash" } dimensions { name: "tier" value: "paid" } unit: "EUR" } window:
      "day 2026-11-21" amount: 4 reserved: 5 expected: 2 basis: BASIS_PRICE granted: -7
      window_ends_ms: 1795305600000 limit_only: true } moves { meter { owner: "main" unit:
      "tokens" } amount: 9223372036854775807 } payers { account: "acme" tags: "a" tags: "b"
      kind: "keepa.product" weight: 3 } payers { account: "zeta" } operation: "keepa.product"
      counts { name: "thoughts" count: 12 }
      """#,
      """
      3a5b0a2d08031206737072696e671a0e0a056d6f64656c1205666c6173681a0c0a0474696572120470616964
      2203455552120e64617920323032362d31312d3231180420052802300138f9ffffffffffffffff014080e8b5
      84a03448013a1a0a0e12046d61696e2206746f6b656e7318ffffffffffffffff7f421d0a0461636d65120161
      1201621a0d6b656570612e70726f64756374200342060a047a6574614a0d6b656570612e70726f6475637452
      0c0a0874686f7567687473100c
      """),
    .init(
      .chargeResolved,
      #"""
      doubts { fetch: 300 attempt: 1 tokens: 6 settled: 6 window: "day 2026-11-21" payers {
      account: "acme" tags: "a" tags: "b" kind: "keepa.product" weight: 3 } payers { account:
      "zeta" } since_ms: 1795248000000 limit_only: true } meter { owner_kind: OWNER_KIND_BUDGET
      owner: "spring" dimensions { name: "model" value: "flash" } dimensions { name: "tier"
      value: "paid" } unit: "EUR" } actor: "op"
      """#,
      """
      1a4908ac02100128063006520e64617920323032362d31312d32315a1d0a0461636d651201611201621a0d6b
      656570612e70726f6475637420035a060a047a657461608098fae89f346801422d08031206737072696e671a
      0e0a056d6f64656c1205666c6173681a0c0a047469657212047061696422034555524a026f70
      """),
    .init(
      .balanceObserved,
      #"""
      restore_gap: true meter { owner_kind: OWNER_KIND_BUDGET owner: "spring" dimensions { name:
      "model" value: "flash" } dimensions { name: "tier" value: "paid" } unit: "EUR" }
      """#,
      """
      8001018a012d08031206737072696e671a0e0a056d6f64656c1205666c6173681a0c0a047469657212047061
      69642203455552
      """),
    .init(
      .windowObserved,
      #"""
      meter { owner_kind: OWNER_KIND_BUDGET owner: "spring" dimensions { name: "model" value:
      "flash" } dimensions { name: "tier" value: "paid" } unit: "EUR" } window: "day 2026-11-21"
      used: 70 previous_used: 0 limit: 100 window_ends_ms: 1795305600000 observed_ms:
      1795248000200 predicted_low: 60 predicted_high: 65 granted: 100 unexplained: -5 fetch: 300
      """#,
      """
      0a2d08031206737072696e671a0e0a056d6f64656c1205666c6173681a0c0a04746965721204706169642203
      455552120e64617920323032362d31312d32311846200028643080e8b584a03438c899fae89f34403c484150
      6458fbffffffffffffffff0160ac02
      """),
    .init(
      .spendRefused,
      #"""
      refused: "a" refused: "b" content_set: 18446744073709551615 max_age_seconds: 0 behind:
      true asked_ms: 1795248000001 demand { account: "acme" tags: "a" content_set: 5 refresh:
      REFRESH_REASON_GRACE } wants { meter { owner_kind: OWNER_KIND_BUDGET owner: "spring"
      dimensions { name: "model" value: "flash" } dimensions { name: "tier" value: "paid" }
      unit: "EUR" } window: "day 2026-11-21" wanted: 4 available: -3 retry_ms: 1795305600000 }
      wants { wanted: 1 } refused_by: 1 payers { account: "acme" tags: "a" tags: "b" kind:
      "keepa.product" weight: 3 } payers { account: "zeta" }
      """#,
      """
      52016152016258ffffffffffffffffff0160006801708198fae89f347a0d0a0461636d651201612005380182
      01530a2d08031206737072696e671a0e0a056d6f64656c1205666c6173681a0c0a0474696572120470616964
      2203455552120e64617920323032362d31312d3231180420fdffffffffffffffff012880e8b584a034820102
      180188010192011d0a0461636d651201611201621a0d6b656570612e70726f6475637420039201060a047a65
      7461
      """),
    .init(
      .credentialAdded,
      #"""
      quota_group: "project" actor: "op"
      """#,
      """
      220770726f6a6563742a026f70
      """),
    .init(
      .credentialStatusChanged,
      #"""
      actor: "op"
      """#,
      """
      22026f70
      """),
    .init(
      .serviceStarted,
      #"""
      format: 2
      """#,
      """
      1802
      """),
    .init(
      .serviceRecovered,
      #"""
      in_doubt { unit: "tokens" amount: 9 } in_doubt { unit: "EUR" amount: 1500000000 }
      """#,
      """
      1a0a0a06746f6b656e7310091a0b0a034555521080dea0cb05
      """),
    .init(
      .snapshotTaken,
      #"""
      actor: "op"
      """#,
      """
      4a026f70
      """),
    .init(
      .jobQueued,
      #"""
      kind: "keepa.warm" account: "acme" request: "{\001\377" total: 18446744073709551615
      actor: "somebody"
      """#,
      """
      0a0a6b656570612e7761726d120461636d651a037b01ff20ffffffffffffffffff012a08736f6d65626f6479
      """),
    .init(
      .jobStarted,
      #"""
      job: 812
      """#,
      """
      08ac06
      """),
    .init(
      .jobProgressed,
      #"""
      job: 812 done: 300 failed: 18446744073709551615
      """#,
      """
      08ac0610ac0218ffffffffffffffffff01
      """),
    .init(
      .jobFinished,
      #"""
      job: 812 end: JOB_END_CANCELLED done: 301 failed: 2 detail: "2 could not be bought"
      actor: "somebody"
      """#,
      """
      08ac06100318ad0220022a153220636f756c64206e6f7420626520626f756768743208736f6d65626f6479
      """),
    .init(
      .fetchStarted,
      #"""
      moves { meter { owner_kind: OWNER_KIND_BUDGET owner: "spring" unit: "tokens" } window:
      "month 2026-11" amount: 4 granted: 5000 limit_only: true carried: 812 }
      """#,
      """
      7a2d0a1208031206737072696e672206746f6b656e73120d6d6f6e746820323032362d313118043888274801
      50ac06
      """),
    .init(
      .accountOpened,
      #"""
      account: "acme" name: "Acme Retail" time_zone: "Europe/Berlin" actor: "operator"
      """#,
      """
      0a0461636d65120b41636d652052657461696c1a0d4575726f70652f4265726c696e22086f70657261746f72
      """),
    .init(
      .accountClosed,
      #"""
      account: "acme" actor: "operator"
      """#,
      """
      0a0461636d6512086f70657261746f72
      """),
    .init(
      .accessKeyIssued,
      #"""
      access_key: "k7q2m9" account: "acme" digest: "\001\377" scopes: "read" scopes: "fetch"
      kinds: "keepa.product" expires_ms: 1795305600000 requests_per_minute: 90 replaces: "k1"
      actor: "operator"
      """#,
      """
      0a066b3771326d39120461636d651a0201ff220472656164220566657463682a0d6b656570612e70726f6475
      63743080e8b584a034385a42026b314a086f70657261746f72
      """),
    .init(
      .accessKeyRevoked,
      #"""
      access_key: "k7q2m9" from_ms: 1795305600000 actor: "operator"
      """#,
      """
      0a066b3771326d391080e8b584a0341a086f70657261746f72
      """),
    .init(
      .budgetSet,
      #"""
      budget: "spring" scope { account: "acme" access_key: "k7q2m9" credential:
      "keepa:0fd85260" upstream: "keepa" operation: "keepa.product" tag: "user=*" } unit:
      "tokens" limit: 5000 span: BUDGET_SPAN_ROLLING rolling_seconds: 3600 time_zone:
      "Europe/Berlin" soft: true paused: true thresholds: 50 thresholds: 95 set_ms:
      1795248000001 actor: "operator"
      """#,
      """
      0a06737072696e67123c0a0461636d6512066b3771326d391a0e6b656570613a306664383532363022056b65
      6570612a0d6b656570612e70726f647563743206757365723d2a1a06746f6b656e73208827280630901c3a0d
      4575726f70652f4265726c696e400148015202325f588198fae89f3462086f70657261746f72
      """),
    .init(
      .budgetRemoved,
      #"""
      budget: "spring" actor: "operator"
      """#,
      """
      0a06737072696e6712086f70657261746f72
      """),
    .init(
      .webhookSet,
      #"""
      webhook: "w1" place: "https://hooks.example" format: WEBHOOK_FORMAT_SLACK events:
      "budget.threshold" events: "alert.cleared" actor: "operator"
      """#,
      """
      0a027731121568747470733a2f2f686f6f6b732e6578616d706c65180122106275646765742e746872657368
      6f6c64220d616c6572742e636c65617265642a086f70657261746f72
      """),
    .init(
      .webhookRemoved,
      #"""
      webhook: "w1" actor: "operator"
      """#,
      """
      0a02773112086f70657261746f72
      """),
    .init(
      .alertRaised,
      #"""
      alert { name: "budget.threshold" account: "acme" budget: "spring" tag: "user=ann" window:
      "day 2026-11-21" window_ends_ms: 1795305600000 percent: 80 unit: "tokens" limit: 5000
      settled: 4000 reserved: 10 in_doubt: 3 unprovable: 2 free: -15 at_ms: 1795248000001 }
      looked: 812
      """#,
      """
      0a6a0a106275646765742e7468726573686f6c64120461636d651a06737072696e672208757365723d616e6e
      2a0e64617920323032362d31312d32313080e8b584a03438504206746f6b656e7348882750a01f580a600368
      0270f1ffffffffffffffff0198018198fae89f3410ac06
      """),
    .init(
      .alertCleared,
      #"""
      alert { name: "meter.low" unit: "tokens" limit: 50 free: 300 upstream: "keepa" credential:
      "keepa:0fd85260" meter_owner: "main" detail: "no" at_ms: 1795248000002 } looked: 813
      reason: "it is above again"
      """#,
      """
      0a440a096d657465722e6c6f774206746f6b656e73483270ac027a056b6565706182010e6b656570613a3066
      6438353236308a01046d61696e9201026e6f98018298fae89f3410ad061a1169742069732061626f76652061
      6761696e
      """),
    .init(
      .notificationSent,
      #"""
      delivery: "812-w1" webhook: "w1" alert: 812 attempt: 2 status: 500 outcome:
      NOTIFICATION_OUTCOME_DEAD detail: "no" at_ms: 1795248000003 next_ms: 1795248010003
      """#,
      """
      0a063831322d77311202773118ac06200228f40330023a026e6f408398fae89f344893e6fae89f34
      """),
    .init(
      .notificationRequeued,
      #"""
      delivery: "812-w1" at_ms: 1795248000004 actor: "operator"
      """#,
      """
      0a063831322d7731108498fae89f341a086f70657261746f72
      """),
    .init(
      .credentialSet,
      #"""
      credential: "keepa:0fd85260" upstream: "keepa" name: "first" account: "acme" unit: "tokens"
      limit: 100000 weight: 3 source: CREDENTIAL_SOURCE_SEALED quota_group: "main" status:
      CREDENTIAL_STATUS_DISABLED set_ms: 1795248000001 actor: "operator"
      """#,
      """
      0a0e6b656570613a306664383532363012056b656570611a056669727374220461636d652a06746f6b656e73
      30a08d06380340014a046d61696e5004588198fae89f3462086f70657261746f72
      """),
    .init(
      .credentialRemoved,
      #"""
      credential: "keepa:0fd85260" actor: "operator"
      """#,
      """
      0a0e6b656570613a306664383532363012086f70657261746f72
      """),
    .init(
      .credentialCooled,
      #"""
      credential: "keepa:0fd85260" quota_group: "main" until_ms: 1795248060001 reason:
      FAILURE_REASON_INSUFFICIENT_TOKENS detail: "no" fetch: 812
      """#,
      """
      0a0e6b656570613a306664383532363012046d61696e18e1ecfde89f3420062a026e6f30ac06
      """),
    .init(
      .poolSet,
      #"""
      upstream: "keepa" account: "acme" selection: SELECTION_FAILOVER actor: "operator"
      """#,
      """
      0a056b65657061120461636d65180422086f70657261746f72
      """),
    .init(
      .requestBegun,
      #"""
      key: "\001\377" request: "\002\376" account: "acme" access_key: "k1" begun_ms:
      1795248000001 keep_until_ms: 1795334400001
      """#,
      """
      0a0201ff120202fe1a0461636d6522026b31288198fae89f343081d09392a034
      """),
    .init(
      .requestAnswered,
      #"""
      key: "\001\377" status: 200 body: "\003\375"
      """#,
      """
      0a0201ff10c8011a0203fd
      """),
    .init(
      .requestsForgotten,
      #"""
      keys: "\001\377" keys: "\002" bodies: "\003\375" stored_bytes: 4096
      """#,
      """
      0a0201ff0a0102120203fd188020
      """),
    .init(
      .jobQueued,
      #"""
      tags: "branch=north" tags: "user=ann" access_key: "k1"
      """#,
      """
      320c6272616e63683d6e6f7274683208757365723d616e6e3a026b31
      """),
  ]

  /// Fields of format 1 with values that it did not know.
  static let newValues: [GoldenEvent] = [
    .init(
      .fetchStarted,
      #"""
      content_set: 18446744073709551615
      """#,
      """
      30ffffffffffffffffff01
      """),
    .init(
      .cacheWritten,
      #"""
      content_set: 18446744073709551615
      """#,
      """
      10ffffffffffffffffff01
      """),
    .init(
      .cacheExpired,
      #"""
      content_set: 18446744073709551615
      """#,
      """
      10ffffffffffffffffff01
      """),
    .init(
      .cacheEvicted,
      #"""
      content_set: 18446744073709551615
      """#,
      """
      10ffffffffffffffffff01
      """),
    .init(
      .cachePurged,
      #"""
      content_set: 18446744073709551615
      """#,
      """
      10ffffffffffffffffff01
      """),
    .init(
      .chargeResolved,
      #"""
      evidence: EVIDENCE_INVOICE
      """#,
      """
      2008
      """),
    .init(
      .spendRefused,
      #"""
      reason: REFUSAL_REASON_METER
      """#,
      """
      4004
      """),
  ]
}
