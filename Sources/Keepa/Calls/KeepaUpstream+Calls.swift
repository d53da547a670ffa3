import JSONText
import TollbookEvents
import TollbookGateway
import TollbookUpstreams

// Calls other than for products by their ASINs: each is planned from the request that its need carries.

extension KeepaUpstream {
  func planCalls(_ needs: [Need]) -> [PlannedCall] {
    var calls: [[Int]] = []
    for (place, need) in needs.enumerated() {
      guard let request = need.request else { continue }
      let size = callSize(of: need.operation, parts: need.parts)
      let group = size > 1 ? request.group : nil
      if let group, need.resource != nil,
        let open = calls.lastIndex(where: { places in
          places.count < size && needs[places[0]].resource != nil
            && needs[places[0]].request?.group == group
        })
      {
        calls[open].append(place)
      } else {
        calls.append([place])
      }
    }
    return calls.map { places in
      let called = places.map { needs[$0] }
      let (bounds, expected) = Self.prices(called)
      return PlannedCall(
        needs: called, places: places, uses: use(bounds: bounds, expected: expected))
    }
  }

  private static func prices(_ needs: [Need]) -> (bounds: PrefixCosts, expected: PrefixCosts) {
    guard let first = needs.first, let request = first.request else {
      return (PrefixCosts(each: []), PrefixCosts(each: []))
    }
    func costs(_ price: (Int) -> Int64) -> PrefixCosts {
      PrefixCosts(of: needs.count, callSize: needs.count, price: price)
    }
    guard let endpoint = KeepaEndpoint(operation: first.operation) else {
      // Products by code, and with parameters that nobody knows.
      let price = ProductQuery.price(of: request, live: first.isLive)
      let each = first.operation == code ? Int64(1) : Int64(needs.count)
      return (costs { Int64($0) * price.bound / each }, costs { Int64($0) * price.expected / each })
    }
    let parameters = Dictionary(request.query.map { ($0.name, $0.value) }) { first, _ in first }
    let selection = parameters["selection"].flatMap(KeepaSelection.init)
    let items = (try? JSONDocument(request.body).root.array?.count) ?? 1
    func price(_ count: Int) -> (bound: Int64, expected: Int64) {
      endpoint.price(parameters, selection: selection, count: count, bodyItems: items)
    }
    return (costs { price($0).bound }, costs { price($0).expected })
  }

  func performCall(
    _ call: PlannedCall, _ first: Need, within limit: Duration
  ) async -> Exchange {
    guard let request = first.request else {
      let failure = UpstreamFailure(.notSent, detail: "a call for nothing", charge: .none)
      return Exchange(.failure(failure), charges: [meter: .notSent], duration: .zero)
    }
    let endpoint = KeepaEndpoint(operation: first.operation)
    var query = request.query
    if let list = endpoint?.list?.name ?? (first.operation == Self.code ? "code" : nil),
      first.resource != nil
    {
      query.removeAll { $0.name == list }
      query.append((list, call.needs.compactMap { $0.resource?.lastStep }.joined(separator: ",")))
    }
    let sent = KeepaCall(
      path: request.path, query: query, body: request.body, isPicture: endpoint == .graph)
    let answer = await api.call(sent, within: limit)
    var exchange = exchange(answer, readings: { $0.reading }, charge: { $0.charge }) { answer in
      Self.delivery(answer, of: call, endpoint)
    }
    if endpoint == .graph, case .success = exchange.result {
      // Keepa says nothing of the cost of a picture.
      exchange.charges[meter] = .byPrice(call.uses.first?.expected[0..<1] ?? 1)
    }
    return exchange
  }

  private static func delivery(
    _ answer: KeepaCallAnswer, of call: PlannedCall, _ endpoint: KeepaEndpoint?
  ) -> Delivery {
    guard let resource = call.needs.first?.resource else {
      return Delivery(
        [],
        raw: RawAnswer(
          status: 200, contentType: endpoint?.contentType ?? "application/json",
          body: answer.content))
    }
    guard let endpoint else { return codes(answer, call) }
    guard endpoint.map != nil, let root = try? JSONDocument(answer.content).root else {
      // A body of no members says that there is nothing: no list, no page.
      let isEmpty = answer.content.count <= 2
      let selection = call.needs[0].request?.query.first { $0.name == "selection" }?.value
      return Delivery([
        Write(
          resource, body: isEmpty ? nil : answer.content, parts: call.needs[0].parts,
          summary: endpoint == .finder ? FinderSummary.bytes(of: selection, answer.content) : [])
      ])
    }
    return Delivery(
      call.needs.compactMap { need in
        need.resource.map { resource in
          Write(
            resource,
            body: KeepaMap(root, endpoint).body(of: resource.lastStep, parts: need.parts),
            parts: need.parts)
        }
      })
  }

  /// Products by code, and of each code which they are.
  private static func codes(_ answer: KeepaCallAnswer, _ call: PlannedCall) -> Delivery {
    guard let root = try? JSONDocument(answer.content).root, let request = call.needs[0].request,
      let domain = request.query.first(where: { $0.name == "domain" }).flatMap({
        Int($0.value).flatMap(KeepaDomain.init)
      })
    else { return Delivery([]) }
    let products = KeepaProductAnswer.products(
      in: root["products"], asked: ProductQuery.contentSet(of: request),
      atMost: call.needs.count * ProductQuery.codeLimit(of: request))
    var writes: [Write] = []
    for need in call.needs {
      guard let resource = need.resource else { continue }
      let code = resource.lastStep.drop { $0 == "0" }
      let found = products.filter { $0.codes.contains(code) }.map(\.product.asin.description)
      var json = JSONWriter()
      json.array(found)
      writes.append(Write(resource, body: found.isEmpty ? nil : json.bytes, parts: need.parts))
    }
    var seen: Set<KeepaASIN> = []
    for (product, _) in products where seen.insert(product.asin).inserted {
      writes.append(product.write(in: domain))
    }
    return Delivery(writes)
  }
}

extension PassedRequest {
  /// What is the same of requests that one call can carry: all but what they list.
  fileprivate var group: String {
    let lists = path == "/product" ? ["code"] : ["category", "seller"]
    return path
      + query.filter { !lists.contains($0.name) }.map { "&\($0.name)=\($0.value)" }
      .joined()
  }
}

extension ResourceKey {
  /// What names it within its marketplace.
  var lastStep: String { String(path.drop { $0 != "/" }.dropFirst()) }
}

/// An answer that holds several things by their names: what it would have been for one of them.
struct KeepaMap {
  private let root: JSONValue
  private let endpoint: KeepaEndpoint

  init(_ root: JSONValue, _ endpoint: KeepaEndpoint) {
    self.root = root
    self.endpoint = endpoint
  }

  /// Nil: Keepa does not have it.
  ///
  /// - Parameters:
  ///   - name: 0 of a category stands for all roots.
  ///   - parts: 1 with the ancestors of a category.
  func body(of name: String, parts: UInt64) -> [UInt8]? {
    guard let map = endpoint.map, let all = root[map], all.kind == .object else { return nil }
    var json = JSONWriter()
    json.beginObject()
    if endpoint == .category, name == "0" {
      guard let members = all.members, members.contains(where: { _ in true }) else { return nil }
      json.rawField(map, all.bytes)
      if let parents = root["categoryParents"] { json.rawField("categoryParents", parents.bytes) }
    } else {
      guard let own = all[name], !own.isNull else { return nil }
      json.object(map) { json in json.rawField(name, own.bytes) }
      if endpoint == .category, parts & 1 == 1 {
        json.object("categoryParents") { json in
          var next = own["parent"]?.int64 ?? 0
          var seen: Set<Int64> = []
          while next != 0, seen.insert(next).inserted,
            let parent = root["categoryParents"]?["\(next)"]
          {
            json.rawField("\(next)", parent.bytes)
            next = parent["parent"]?.int64 ?? 0
          }
        }
      }
    }
    json.endObject()
    return json.bytes
  }
}
