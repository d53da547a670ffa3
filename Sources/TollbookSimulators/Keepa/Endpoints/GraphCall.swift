/// `/graphimage`: the picture of a product's histories. 1 token; the same picture again within 90
/// minutes is free (fact sheet, section 5).
struct GraphCall: KeepaCall {
  let graph: KeepaGraph
  /// All parameters in a fixed order: what makes two requests the same.
  let request: String

  static let tokens = 1

  init(_ parameters: KeepaParameters) throws(KeepaRejection) {
    let asin = try parameters.text("asin")
    guard asin.utf8.count == 10 else { throw KeepaRejection(details: "asin is no ASIN") }
    var shown: [KeepaGraph.Line] = []
    var isChosen = false
    for line in KeepaGraph.lines {
      isChosen = isChosen || parameters[line.name] != nil
      guard try parameters.flag(line.name) else { continue }
      let color = try Self.color(line.colorName, parameters) ?? line.color
      shown.append(
        .init(name: line.name, colorName: line.colorName, type: line.type, color: color))
    }
    if !isChosen { shown = Array(KeepaGraph.lines.prefix(2)) }
    _ = try parameters.flag("title")
    graph = KeepaGraph(
      asin: asin,
      domain: try parameters.domain(),
      width: try parameters.number("width", 300...1000) ?? 500,
      height: try parameters.number("height", 150...1000) ?? 200,
      days: try parameters.number("range", 1...10_000) ?? 90,
      zooms: try parameters.flag("yzoom", absent: true),
      background: try Self.color("cBackground", parameters) ?? 0xffffff,
      shown: shown)
    request = parameters.values.filter { $0.key != "key" }.sorted { $0.key < $1.key }
      .map { "\($0.key)=\($0.value)" }.joined(separator: "&")
  }

  /// Six hexadecimal digits.
  private static func color(
    _ name: String, _ parameters: KeepaParameters
  ) throws(KeepaRejection) -> UInt32? {
    guard let text = parameters[name] else { return nil }
    guard text.utf8.count == 6, let color = UInt32(text, radix: 16) else {
      throw KeepaRejection(details: "\(name) is no colour of six hexadecimal digits")
    }
    return color
  }

  func work(in world: inout KeepaWorld, _ moment: KeepaMoment) -> KeepaWork {
    let (minute, isNew) = world.graphs.serve("\(moment.key)?\(request)", at: moment.minute)
    let tokens = isNew ? Self.tokens : 0
    var work = KeepaWork(tokens: tokens, .image(graph, minute: minute))
    work.asins = [graph.asin]
    work.shares = [tokens]
    return work
  }
}
