import JSONText

/// `/tracking`: products that Keepa watches for the caller.
///
/// Adding costs 1 each and lowers the refill from then on; all else is free (fact sheet,
/// section 5). `list` names the list that is meant; without it, the one without a name.
struct TrackingCall: KeepaCall {
  enum Action: Sendable {
    case add(JSONDocument)
    case get(asin: String)
    case list(asinsOnly: Bool, page: Int, perPage: Int)
    case remove(asin: String)
    case removeAll
    case notification(since: Int, revise: Bool)
    case listNames
    case webhook(url: String)
  }

  let action: Action
  let list: String

  static let tokensPerTracking = 1
  static let mostAdded = 1000

  init(_ parameters: KeepaParameters) throws(KeepaRejection) {
    list = parameters["list"] ?? ""
    guard list.count <= 64 else { throw KeepaRejection(details: "list is longer than 64") }
    action =
      switch parameters["type"] {
      case "add": .add(try Self.added(parameters.body))
      case "get": .get(asin: try parameters.text("asin"))
      case "list":
        .list(
          asinsOnly: try parameters.flag("asins-only"),
          page: try parameters.number("page", 0...1_000_000) ?? 0,
          perPage: try parameters.number("perPage", 1...1_000_000) ?? 1_000_000)
      case "remove": .remove(asin: try parameters.text("asin"))
      case "removeAll": .removeAll
      case "notification":
        .notification(
          since: try parameters.number("since", 0...Int.max) ?? 0,
          revise: try parameters.flag("revise"))
      case "listNames": .listNames
      case "webhook": .webhook(url: try parameters.text("url"))
      default: throw KeepaRejection(details: "type is none of a tracking")
      }
  }

  /// Checks the array that was posted.
  private static func added(_ body: [UInt8]) throws(KeepaRejection) -> JSONDocument {
    guard let document = try? JSONDocument(body, maximumDepth: 8),
      let entries = document.root.array.map(Array.init), (1...mostAdded).contains(entries.count)
    else { throw KeepaRejection(details: "the body is no array of 1 to \(mostAdded) trackings") }
    for entry in entries { _ = try KeepaTracking(entry, list: "", created: 0) }
    return document
  }

  func work(in world: inout KeepaWorld, _ moment: KeepaMoment) -> KeepaWork {
    let key = moment.key
    switch action {
    case .add(let document):
      let added = (document.root.array.map(Array.init) ?? []).compactMap {
        try? KeepaTracking($0, list: list, created: moment.minute)
      }
      for tracking in added { world.trackings.add(tracking, of: key) }
      return Self.work(tokens: added.count * Self.tokensPerTracking, added, world, key)
    case .get(let asin):
      let found = world.trackings.list(list, of: key).filter { $0.asin == asin }
      return Self.work(tokens: 0, found, world, key)
    case .list(let asinsOnly, let page, let perPage):
      let all = world.trackings.list(list, of: key)
      let first = min(page * perPage, all.count)
      let shown = Array(all[first..<min(first + perPage, all.count)])
      guard asinsOnly else { return Self.work(tokens: 0, shown, world, key) }
      return KeepaWork(tokens: 0) { $0.member("asinList", shown.map(\.asin)) }
    case .remove(let asin):
      world.trackings.remove(asin, from: list, of: key)
    case .removeAll:
      world.trackings.removeAll(from: list, of: key)
    case .notification(let since, let revise):
      let found = world.trackings.notifications(
        of: key, after: since, until: moment.minute, revise: revise)
      return KeepaWork(tokens: 0) { json in
        json.key("notifications")
        json.array { json in
          for notification in found { notification.write(to: &json) }
        }
      }
    case .listNames:
      let names = world.trackings.listNames(of: key)
      return KeepaWork(tokens: 0) { $0.member("trackingListNames", names) }
    case .webhook(let url):
      world.trackings.setWebhook(url, of: key)
      return KeepaWork(tokens: 0)
    }
    var work = KeepaWork(tokens: 0)
    work.flowReduction = world.trackings.flowReduction(of: key)
    return work
  }

  /// The member `trackings`, and what all of the key's trackings now take from the refill.
  private static func work(
    tokens: Int, _ trackings: [KeepaTracking], _ world: KeepaWorld, _ key: String
  ) -> KeepaWork {
    var work = KeepaWork(tokens: tokens) { json in
      json.key("trackings")
      json.array { json in
        for tracking in trackings { tracking.write(to: &json) }
      }
    }
    work.flowReduction = world.trackings.flowReduction(of: key)
    return work
  }
}
