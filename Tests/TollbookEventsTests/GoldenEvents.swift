import TollbookEvents

extension GoldenEvent {
  static let all: [GoldenEvent] = [
    .init(
      .fetchStarted,
      #"""
      operation: "keepa.product" credential: "main" account: "acme" unit: "tokens" resources:
      "shared/keepa.product/1/B09T2ZLMHB" resources: "shared/keepa.product/1/B000000001"
      content_set: 5 bound: 4 expected: 2
      """#,
      """
      0a0d6b656570612e70726f6475637412046d61696e1a0461636d652206746f6b656e732a217368617265642f
      6b656570612e70726f647563742f312f42303954325a4c4d48422a217368617265642f6b656570612e70726f
      647563742f312f42303030303030303031300538044002
      """),
    .init(
      .fetchAttemptFailed,
      #"""
      fetch: 300 attempt: 1 reason: FAILURE_REASON_CONNECTION_LOST status: 503 detail: "cut"
      next_attempt: 2 next_bound: 4 credential: "main" unit: "tokens" account: "acme" operation:
      "keepa.product"
      """#,
      """
      08ac021001180320f7032a036375743002380442046d61696e4a06746f6b656e73520461636d655a0d6b6565
      70612e70726f64756374
      """),
    .init(
      .fetchSucceeded,
      #"""
      fetch: 300 attempt: 2 found: 1 absent: 1 duration_ms: 812 received_bytes: 52700
      """#,
      """
      08ac0210021801200128ac0630dc9b03
      """),
    .init(
      .fetchFailed,
      #"""
      fetch: 300 attempts: 3 reason: FAILURE_REASON_RETRY_REFUSED status: 429 detail: "refused"
      """#,
      """
      08ac021003180a20ad032a0772656675736564
      """),
    .init(
      .cacheWritten,
      #"""
      resource: "shared/keepa.product/1/B09T2ZLMHB" content_set: 5 presence: PRESENCE_PRESENT
      fetch: 300 body: "\001\002\377" body_bytes: 52700 fetched_ms: 1795248000000 fresh_until_ms:
      1795852800000 grace_until_ms: 1795939200000 error_grace_until_ms: 1798444800000
      keep_until_ms: 1803024000000 upstream_updated_ms: 1795240000000 tokens: 2 summary:
      "\n\003abc"
      """#,
      """
      0a217368617265642f6b656570612e70726f647563742f312f42303954325a4c4d48421005180120ac022a03
      0102ff30dc9b03388098fae89f344080a0ac89a2344880d8c5b2a2345080b0a7ddab345880c8ebe4bc346080
      f491e59f34680272050a03616263
      """),
    .init(
      .cacheExpired,
      #"""
      resource: "shared/keepa.product/1/B09T2ZLMHB" content_set: 5 written: 301 fresh_until_ms:
      1795852800000
      """#,
      """
      0a217368617265642f6b656570612e70726f647563742f312f42303954325a4c4d4842100518ad022080a0ac
      89a234
      """),
    .init(
      .cacheEvicted,
      #"""
      resource: "shared/keepa.product/1/B09T2ZLMHB" content_set: 5 written: 301 keep_until_ms:
      1803024000000
      """#,
      """
      0a217368617265642f6b656570612e70726f647563742f312f42303954325a4c4d4842100518ad022080c8eb
      e4bc34
      """),
    .init(
      .readsTallied,
      #"""
      rows { resource: "shared/keepa.product/1/B09T2ZLMHB" content_set: 5 account: "acme"
      max_age_seconds: 0 first_read_ms: 1795248000001 last_read_ms: 1795248000999 fresh: 7 stale:
      2 joined: 1 } rows { resource: "r" }
      """#,
      """
      0a410a217368617265642f6b656570612e70726f647563742f312f42303954325a4c4d484210051a0461636d
      652000288198fae89f3430e79ffae89f343807400248010a030a0172
      """),
    .init(
      .tokensCharged,
      #"""
      fetch: 300 attempt: 2 credential: "main" unit: "tokens" account: "acme" operation:
      "keepa.product" tokens: 3 reserved: 4 expected: 2 shares { resource: "a" tokens: 2 } shares
      { resource: "b" tokens: 1 } windows: "total-2026"
      """#,
      """
      08ac0210021a046d61696e2206746f6b656e732a0461636d65320d6b656570612e70726f6475637438034004
      480252050a0161100252050a016210015a0a746f74616c2d32303236
      """),
    .init(
      .reservationReleased,
      #"""
      fetch: 300 attempt: 2 credential: "main" unit: "tokens" tokens: 4
      """#,
      """
      08ac0210021a046d61696e2206746f6b656e732804
      """),
    .init(
      .chargeInDoubt,
      #"""
      fetch: 300 attempt: 2 credential: "main" unit: "tokens" tokens: 4 sent_ms: 1795248000000
      """#,
      """
      08ac0210021a046d61696e2206746f6b656e732804308098fae89f34
      """),
    .init(
      .chargeResolved,
      #"""
      credential: "main" unit: "tokens" doubts { fetch: 300 attempt: 2 account: "acme" operation:
      "keepa.product" tokens: 6 settled: 3 released: 2 unprovable: 1 was_unprovable: true }
      evidence: EVIDENCE_OPERATOR difference: -3 windows: "total-2026" note: "invoiced"
      """#,
      """
      0a046d61696e1206746f6b656e731a2408ac0210021a0461636d65220d6b656570612e70726f647563742806
      3003380240014801200428fdffffffffffffffff01320a746f74616c2d323032363a08696e766f69636564
      """),
    .init(
      .balanceObserved,
      #"""
      credential: "main" unit: "tokens" reading { balance: -7 upstream_ms: 1795248000123
      next_refill_ms: 1795248060000 observed_ms: 1795248000200 } previous { balance: 12
      upstream_ms: 1795247000123 next_refill_ms: 1795247060000 observed_ms: 1795247000200 }
      refill_rate: 5 flow_reduction_thousandths: 250 ticks: 16 refill_low: 70 refill_high: 80
      predicted_low: 1 predicted_high: 9 refill: 75 unexplained: -2 slack: 5 fetch: 300
      """#,
      """
      0a046d61696e1206746f6b656e731a2008f9ffffffffffffffff0110fb98fae89f3418e0ecfde89f3420c899
      fae89f342217080c10bb94bde89f3418a0e8c0e89f34208895bde89f34280530fa0138104046485050015809
      604b68feffffffffffffffff01700578ac02
      """),
    .init(
      .spendRefused,
      #"""
      account: "acme" operation: "keepa.product" credential: "main" unit: "tokens" wanted: 100
      available: -3 resources: 50 reason: REFUSAL_REASON_STORAGE_RESERVE retry_ms: 1795248060000
      """#,
      """
      0a0461636d65120d6b656570612e70726f647563741a046d61696e2206746f6b656e73286430fdffffffffff
      ffffff013832400348e0ecfde89f34
      """),
    .init(
      .credentialAdded,
      #"""
      credential: "main" upstream: "keepa" unit: "tokens"
      """#,
      """
      0a046d61696e12056b656570611a06746f6b656e73
      """),
    .init(
      .credentialStatusChanged,
      #"""
      credential: "main" status: CREDENTIAL_STATUS_REJECTED detail: "unknown"
      """#,
      """
      0a046d61696e10021a07756e6b6e6f776e
      """),
    .init(
      .serviceStarted,
      #"""
      version: "0.1.0" simulated: true
      """#,
      """
      0a05302e312e301001
      """),
    .init(
      .serviceRecovered,
      #"""
      fetches: 2 tokens_in_doubt: 9
      """#,
      """
      08021009
      """),
    .init(
      .cachePurged,
      #"""
      resource: "shared/keepa.product/1/B09T2ZLMHB" content_set: 5 written: 300 hard: true
      tokens: 2 stale_from_ms: 1795852800000 note: "wrong category"
      """#,
      """
      0a217368617265642f6b656570612e70726f647563742f312f42303954325a4c4d4842100518ac0220012802
      3080a0ac89a2343a0e77726f6e672063617465676f7279
      """),
    .init(
      .bodiesPruned,
      #"""
      bodies: "\001\002\377" bodies: "\003" stored_bytes: 6900
      """#,
      """
      0a030102ff0a010310f435
      """),
    .init(
      .snapshotTaken,
      #"""
      file: "tollbook-000000000300.snapshot" position: 300 root: "\001\002\377" digest:
      "\004\005" bytes: 70000 rows: 12 bodies: 3 automatic: true
      """#,
      """
      0a1e746f6c6c626f6f6b2d3030303030303030303330302e736e617073686f7410ac021a030102ff22020405
      28f0a204300c38034001
      """),
    .init(
      .logRestored,
      #"""
      position: 300 base: 200 restored_ms: 1795852800000 without_bodies: true
      """#,
      """
      08ac0210c8011880a0ac89a2342001
      """),
  ]
}
