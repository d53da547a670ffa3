import JSONText
import TollbookEvents
import TollbookGateway
import TollbookUpstreams

// What an answer of eBay's brings, and what it says of the meters.

extension EbayUpstream {
  func exchange(
    _ answer: UpstreamAnswer, of need: Need, _ authorization: EbaySecret?, sent: Timestamp
  ) -> Exchange {
    let received = now()
    switch EbayAnswer.read(
      status: answer.status, headers: answer.headers, body: answer.body, now: received)
    {
    case .failed(let failure) where failure.reason == .grantRejected && need.resource == nil:
      // It says all there is to say: what was shown is used, over or revoked. No token was minted.
      var exchange = Exchange(.success(passed(answer)), duration: .zero)
      exchange.charges = [meter(Self.pool(of: need.operation)): .told(0)]
      return exchange
    case .failed(let failure): return refused(failure, need, authorization)
    case .empty:
      // Nothing to report: the calls go on by what is counted here.
      guard need.operation == Self.limits else { return unreadable("an answer without a body") }
      state.note(.none, asked: sent)
      return Exchange(.success(Delivery(writes(need, Array("{}".utf8)))), duration: .zero)
    case .ok(let body):
      do throws(EbayReadingError) {
        if Self.isOfUser(need.operation) {
          _ = try EbayTokenAnswer(body)
          return Exchange(.success(passed(answer)), duration: .zero)
        }
        return try exchange(body, of: need, sent: sent, received: received)
      } catch { return unreadable("\(error)") }
    }
  }

  private func passed(_ answer: UpstreamAnswer) -> Delivery {
    Delivery(
      [],
      raw: RawAnswer(status: answer.status, contentType: "application/json", body: answer.body))
  }

  private func unreadable(_ detail: String) -> Exchange {
    Exchange(
      .failure(UpstreamFailure(.unreadable, status: 200, detail: detail, charge: .unknown)),
      duration: .zero)
  }

  private func writes(_ need: Need, _ body: [UInt8]) -> [Write] {
    need.resource.map { [Write($0, body: body)] } ?? []
  }

  private func exchange(
    _ body: [UInt8], of need: Need, sent: Timestamp, received: Timestamp
  ) throws(EbayReadingError) -> Exchange {
    switch need.operation {
    case Self.token:
      let token = try EbayTokenAnswer(body)
      state.note(token, received: received)
      var json = JSONWriter()
      json.object { $0.field("ends_at", "\(token.ends(from: received))") }
      return Exchange(.success(Delivery(writes(need, json.bytes))), duration: .zero)
    case Self.limits:
      let limits = try EbayRateLimits(body)
      state.note(limits, asked: sent)
      return Exchange(
        .success(Delivery(writes(need, body))), readings: readings(limits), duration: .zero)
    case Self.item:
      _ = try EbayItem(body)
      guard let cleaned = EbaySellerNames.removed(from: body) else {
        return unreadable("an item that is no JSON object")
      }
      return Exchange(.success(Delivery(writes(need, cleaned))), duration: .zero)
    default:
      let page = try EbaySearchPage(body)
      guard let resource = need.resource else {
        return Exchange(.success(Delivery([])), duration: .zero)
      }
      var write = Write(resource, body: page.kept)
      if let warning = page.warnings.first {
        write.disposition = .handOn(
          .incomplete, detail: "eBay left out a part of the question: \(warning.text)")
      }
      return Exchange(.success(Delivery([write])), duration: .zero)
    }
  }

  private func readings(_ limits: EbayRateLimits) -> [MeterReading] {
    EbayPool.allCases.compactMap { pool in
      guard let rate = pool.rate(in: limits) else { return nil }
      return MeterReading(
        meter(pool),
        .usage(WindowUsage(used: rate.used, limit: rate.limit, ends: rate.reset)))
    }
  }

  private func refused(
    _ failure: EbayFailure, _ need: Need, _ authorization: EbaySecret?
  ) -> Exchange {
    if failure.reason == .notFound, let resource = need.resource, need.operation == Self.item {
      return Exchange(.success(Delivery([Write(resource, body: nil)])), duration: .zero)
    }
    if failure.reason == .tokenExpired, let authorization { state.forget(authorization) }
    let reason: FailureReason =
      switch failure.reason {
      case .keyRejected: .keyRejected
      case .quota: .insufficientTokens
      // With another token the same call succeeds.
      case .tokenExpired, .trouble, .unavailable: .upstreamError
      case .unreadable: .unreadable
      case .grantRejected, .scopeMissing, .notFound, .isGroup, .invalidRequest, .forbidden:
        .requestRejected
      }
    let pool = Self.pool(of: need.operation)
    // eBay's words may repeat what was sent: of a user's code or token nothing is written down.
    let detail =
      Self.isOfUser(need.operation)
      ? "HTTP status \(failure.status): eBay gave no token" : "\(failure)"
    var exchange = Exchange(
      .failure(
        UpstreamFailure(
          reason, status: failure.status, detail: detail,
          charge: failure.mayHaveCounted ? .unknown : .known(0))), duration: .zero)
    switch failure.reason {
    // What is turned away before it is looked at does not count.
    case .quota, .tokenExpired, .keyRejected, .forbidden:
      exchange.charges = [meter(pool): .told(0)]
    default: break
    }
    if case .quota(let until) = failure.reason {
      let window = state.rule(of: pool).window(at: now()).ends
      exchange.closures = [meter(pool): until ?? window ?? now().advanced(byMilliseconds: 60_000)]
    }
    return exchange
  }
}

extension EbaySearchPage {
  /// What is kept of a page: its listings as they came, without what names their sellers.
  var kept: [UInt8] {
    var json = JSONWriter(capacity: 64 << 10)
    json.object { json in
      json.field("total", total)
      json.fieldIfPresent("offset", offset)
      json.fieldIfPresent("limit", limit)
      let rows = rows.compactMap { EbaySellerNames.removed(from: $0.raw) }
      // As eBay writes it: of an empty result there is no such member.
      if !rows.isEmpty { json.array("itemSummaries", rows) { json, row in json.raw(row) } }
    }
    return json.bytes
  }
}
