import JSONText

/// A product that Keepa watches for somebody.
struct KeepaTracking: Sendable {
  /// A price under which, or over which, somebody wants to hear of it.
  struct Threshold: Sendable, Equatable {
    let value: Int
    let domain: Int
    let type: HistoryType
    let isDrop: Bool
  }

  let asin: String
  let list: String
  let created: Int
  let mainDomain: Int
  /// Hours between two looks.
  let interval: Int
  let timeToLive: Int
  let expireNotify: Bool
  let metaData: String?
  let thresholds: [Threshold]
  /// JSON as it was posted.
  let notificationTypes: [UInt8]?

  /// Thousandths of a token per minute that watching takes from the refill: 0.9 tokens per look
  /// and shop, 9 if a price of the marketplace is watched (fact sheet, section 5).
  var flowReduction: Int {
    let domains = Set(thresholds.map(\.domain) + [mainDomain])
    let isMarketplace = thresholds.contains { !$0.type.isOpen(to: PaidParts()) }
    return domains.count * (isMarketplace ? 9000 : 900) / (60 * interval)
  }

  /// Reads one object of `type=add`.
  init(_ value: JSONValue, list: String, created: Int) throws(KeepaRejection) {
    guard let asin = value["asin"]?.string, !ProductDocument.isUnknown(asin: asin),
      let domain = value["mainDomainId"]?.int, (1...11).contains(domain), domain != 7
    else { throw KeepaRejection(details: "a tracking needs an asin and a mainDomainId") }
    self.asin = asin
    self.list = list
    self.created = created
    mainDomain = domain
    interval = value["updateInterval"]?.int ?? 1
    timeToLive = value["ttl"]?.int ?? 0
    expireNotify = value["expireNotify"]?.bool ?? false
    metaData = value["metaData"]?.string
    notificationTypes = value["notificationType"].map { Array($0.bytes) }
    guard (1...25).contains(interval), metaData?.count ?? 0 <= 500 else {
      throw KeepaRejection(details: "updateInterval or metaData of a tracking is not valid")
    }
    var thresholds: [Threshold] = []
    for entry in value["thresholdValues"]?.array.map(Array.init) ?? [] {
      guard let price = entry["thresholdValue"]?.int,
        let type = entry["csvType"]?.int.flatMap(HistoryType.init(rawValue:)),
        let domain = entry["domain"]?.int, (1...11).contains(domain), domain != 7
      else { throw KeepaRejection(details: "thresholdValues of a tracking are not valid") }
      thresholds.append(
        Threshold(
          value: price, domain: domain, type: type, isDrop: entry["isDrop"]?.bool ?? true))
    }
    self.thresholds = thresholds
  }

  func write(to json: inout JSONBytes) {
    json.object { json in
      json.member("asin", asin)
      json.member("createDate", created)
      json.member("expireNotify", expireNotify)
      json.member("isActive", true)
      json.member("mainDomainId", mainDomain)
      json.member("metaData", metaData)
      if let notificationTypes {
        json.key("notificationType")
        json.raw(notificationTypes)
      }
      json.key("thresholdValues")
      json.array { json in
        for threshold in thresholds {
          json.object { json in
            json.member("csvType", threshold.type.rawValue)
            json.member("domain", threshold.domain)
            json.member("isDrop", threshold.isDrop)
            json.member("thresholdValue", threshold.value)
          }
        }
      }
      json.member("trackingListName", list.isEmpty ? nil : list)
      json.member("ttl", timeToLive)
      json.member("updateInterval", interval)
    }
  }
}

/// A watched price that passed its threshold.
struct KeepaNotification: Sendable, Hashable {
  let asin: String
  let list: String
  let domain: Int
  let type: HistoryType
  /// The Keepa minute of the price.
  let minute: Int
  let price: Int
  let metaData: String?

  func write(to json: inout JSONBytes) {
    let product = ProductProfile(asin: asin, domain: domain)
    json.object { json in
      json.member("asin", asin)
      json.member("createDate", minute)
      json.member("csvType", type.rawValue)
      json.member(
        "currentPrices", HistoryType.allCases.map { $0 == type ? price : -1 })
      json.member("domainId", domain)
      json.member("image", "41\(asin.dropFirst(2))L.jpg")
      json.member("metaData", metaData)
      json.member("notificationDomainId", domain)
      json.member("title", product.title)
      json.member("trackingListName", list.isEmpty ? nil : list)
      json.member("trackingNotificationCause", 1)
    }
  }
}

/// Everything that is watched, by the key of who asked. Lives as long as the simulator.
struct KeepaTrackings: Sendable {
  private var tracked: [String: [KeepaTracking]] = [:]
  private var delivered: [String: Set<KeepaNotification>] = [:]
  private(set) var webhooks: [String: String] = [:]

  /// What a key has on a list; the list without a name is the empty one.
  func list(_ list: String, of key: String) -> [KeepaTracking] {
    (tracked[key] ?? []).filter { $0.list == list }
  }

  /// The names of a key's lists, sorted.
  func listNames(of key: String) -> [String] {
    Set((tracked[key] ?? []).map(\.list)).filter { !$0.isEmpty }.sorted()
  }

  /// Thousandths of a token per minute that all of a key's trackings take.
  func flowReduction(of key: String) -> Int {
    (tracked[key] ?? []).reduce(0) { $0 + $1.flowReduction }
  }

  /// Adds a tracking, or puts it in the place of the one with the same ASIN on the same list.
  mutating func add(_ tracking: KeepaTracking, of key: String) {
    remove(tracking.asin, from: tracking.list, of: key)
    tracked[key, default: []].append(tracking)
  }

  /// Ends a tracking.
  mutating func remove(_ asin: String, from list: String, of key: String) {
    tracked[key]?.removeAll { $0.asin == asin && $0.list == list }
  }

  /// Ends all trackings of a list.
  mutating func removeAll(from list: String, of key: String) {
    tracked[key]?.removeAll { $0.list == list }
  }

  /// Says where a key wants notifications to be posted; the simulator posts none.
  mutating func setWebhook(_ url: String, of key: String) {
    webhooks[key] = url
  }

  /// Prices that passed their thresholds between two minutes, oldest first.
  ///
  /// - Parameter revise: those that were told already, too
  mutating func notifications(
    of key: String, after since: Int, until minute: Int, revise: Bool
  ) -> [KeepaNotification] {
    let passed = (tracked[key] ?? []).flatMap { tracking in
      tracking.thresholds.flatMap {
        Self.crossings($0, tracking, after: max(since, tracking.created), until: minute)
      }
    }
    let told = delivered[key] ?? []
    delivered[key] = told.union(passed)
    return passed.filter { revise || !told.contains($0) }
      .sorted { ($0.minute, $0.asin, $0.type.rawValue) < ($1.minute, $1.asin, $1.type.rawValue) }
  }

  private static func crossings(
    _ threshold: KeepaTracking.Threshold, _ tracking: KeepaTracking, after since: Int,
    until minute: Int
  ) -> [KeepaNotification] {
    let product = ProductProfile(asin: tracking.asin, domain: threshold.domain)
    let step = threshold.type.stride
    let histories = ProductHistories(profile: product, lastUpdate: minute)
    guard let flat = histories.history(threshold.type) else { return [] }
    func hasPassed(_ value: Int) -> Bool {
      value >= 0 && (threshold.isDrop ? value <= threshold.value : value >= threshold.value)
    }
    return stride(from: step, to: flat.count, by: step).compactMap { index in
      let value = ProductStats.value(flat, at: index, stride: step)
      let before = ProductStats.value(flat, at: index - step, stride: step)
      guard flat[index] > since, hasPassed(value), !hasPassed(before) else { return nil }
      return KeepaNotification(
        asin: tracking.asin, list: tracking.list, domain: threshold.domain, type: threshold.type,
        minute: flat[index], price: value, metaData: tracking.metaData)
    }
  }
}
