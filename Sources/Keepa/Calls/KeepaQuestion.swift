import Algorithms
import Crypto
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookLog

/// What a client asks Keepa other than for products, in one form however it was asked: GET or POST, parameters in any
/// order, commas encoded or not, defaults given or not, lists one by one.
struct KeepaQuestion: Sendable {
  let endpoint: KeepaEndpoint
  /// Those that say something, but for the one that names a list.
  let parameters: [String: String]
  let selection: KeepaSelection?
  /// What is named one by one; empty: it is one thing.
  let names: [String]
  /// What a POST sends on, if the endpoint takes that.
  let body: [UInt8]
  /// Parameters that nobody knows: they go on to Keepa, and the answer is not kept.
  let unknown: [String]

  /// - Parameter items: the query, decoded, in its order.
  /// - Throws: what Keepa would refuse.
  init(
    _ endpoint: KeepaEndpoint, _ items: [(name: String, value: String)], body: [UInt8]
  ) throws(KeepaRefusal) {
    self.endpoint = endpoint
    var given: [String: String] = [:]
    for (name, value) in items where name != "key" {
      if given.updateValue(value, forKey: name) != nil {
        throw .invalid("\(name.inOneLine(atMost: 50)) stands twice")
      }
    }
    let takesSelection = endpoint == .finder || endpoint == .deals
    if takesSelection, given["selection"] == nil, !body.isEmpty {
      given["selection"] = String(decoding: body, as: UTF8.self)
    }
    self.body = endpoint == .tracking ? body : []
    for name in endpoint.required where given[name]?.isEmpty ?? true {
      throw .invalid("\(name) is missing")
    }
    if let text = given["domain"] {
      guard let domain = Int(text).flatMap(KeepaDomain.init) else {
        throw .invalid("domain is \(text.inOneLine(atMost: 50)), which Keepa does not have")
      }
      // However the number is written, as 01: it is one marketplace, and bought once.
      given["domain"] = "\(domain.rawValue)"
    }
    // What a selection of deals says itself.
    if endpoint == .deals { given["domain"] = nil }
    if let text = given.removeValue(forKey: "selection") {
      guard let selection = KeepaSelection(text) else {
        throw .invalid("selection is no JSON object of up to \(KeepaSelection.most) bytes")
      }
      if let fault = selection.turnedRange {
        throw .invalid("\(fault.inOneLine(atMost: 200)): nothing can lie between")
      }
      self.selection = selection
    } else {
      selection = nil
    }
    if let (name, most) = endpoint.list, let text = given.removeValue(forKey: name) {
      let all = text.split(separator: ",").map { $0.filter { $0 != " " } }
      names = Array(all.filter { !$0.isEmpty }.uniqued())
      guard !names.isEmpty else { throw .invalid("\(name) is empty") }
      guard names.count <= most else {
        throw .invalid("\(name) names \(names.count); Keepa takes up to \(most) at once")
      }
      for name in names where !name.utf8.allSatisfy(Self.isPlain) || name.utf8.count > 100 {
        throw .invalid("“\(name.inOneLine(atMost: 50))” is no id")
      }
      if endpoint == .seller, given["storefront"] == "1", names.count > 1 {
        throw .invalid("storefront takes one seller at a time")
      }
    } else {
      names = []
    }
    unknown = given.keys.filter { !endpoint.knows($0) }.sorted()
    parameters = given.filter { name, value in
      endpoint.parameters[name].flatMap(\.self) != value && !(value.isEmpty && name != "term")
    }
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  /// Whether the answer may be kept.
  var isKept: Bool { endpoint.isKept && unknown.isEmpty }

  /// The paid or longer form: the storefront of a seller, the ancestors of a category.
  var parts: UInt64 {
    (endpoint == .seller && parameters["storefront"] == "1")
      || (endpoint == .category && parameters["parents"] == "1") ? 1 : 0
  }

  /// How old the answer may be: `update` says hours of a seller's data, of which nothing but our fetch is known.
  var age: AgeLimit {
    guard endpoint == .seller, let text = parameters["update"], let hours = Int64(text) else {
      return .windows
    }
    return hours <= 0 ? (hours < 0 ? .neverBuy : .live) : .fetched(min(hours, 87_600) * 3_600_000)
  }

  /// Under which names the answers stand in the cache.
  var resources: [ResourceKey] {
    let domain = parameters["domain"] ?? "\(selection?.domain ?? 0)"
    guard names.isEmpty else {
      return names.map { ResourceKey(shared: endpoint.operation, path: "\(domain)/\($0)") }
    }
    return [ResourceKey(shared: endpoint.operation, path: "\(domain)/\(fingerprint)")]
  }

  /// The parameters as a path: as they are where that is short and plain, else a digest of them.
  private var fingerprint: String {
    var items = parameters.filter { $0.key != "domain" }.sorted { $0.key < $1.key }
    if let selection { items.append(("selection", selection.canonical)) }
    let text = items.map { "\($0.key)=\($0.value)" }.joined(separator: "&")
    let isReadable =
      selection == nil && !text.isEmpty && text.utf8.count <= 200
      && text.utf8.allSatisfy { Self.isPlain($0) || $0 == 0x3D || $0 == 0x26 || $0 == 0x2C }
    return isReadable
      ? text : SHA256.hash(data: Array(text.utf8)).prefix(16).map(\.self).hexadecimal
  }

  /// What it costs in tokens, at most and probably.
  var price: (bound: Int64, expected: Int64) {
    let items = (try? JSONDocument(body).root.array?.count) ?? 1
    return endpoint.price(
      parameters, selection: selection, count: max(1, names.count), bodyItems: items)
  }

  /// What is sent for it.
  var request: PassedRequest {
    var query = parameters.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    if let list = endpoint.list, !names.isEmpty {
      query.append((list.name, names.joined(separator: ",")))
    }
    if let selection { query.append(("selection", selection.text)) }
    return PassedRequest(path: endpoint.path, query: query, body: body)
  }

  /// The demand of who asks it.
  var demand: ResourceDemand {
    var demand = ResourceDemand(endpoint.operation, resources, parts: parts, age: age)
    demand.request = request
    demand.isWhole = true
    return demand
  }
}
