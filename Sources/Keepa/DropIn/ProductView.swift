import Deflate
import JSONText
import TollbookEvents
import TollbookLog

/// What a client wants to see of a product that is there: everything free that it did not ask for is cut away, as Keepa
/// does (fact sheet, sections 2 and 5).
struct ProductView: Hashable, Sendable {
  var hasHistory = true
  /// Histories of the last so many days, with one older point each; nil: all of them.
  var days: Int?
  var stats: StatsWindow?
  var hasVideos = false
  var hasAPlus = false
  var onlyLiveOffers = false

  /// How many elements of a flat history belong together.
  private static let widths = [
    "monthlySoldHistory": 2, "salesRankReferenceHistory": 2, "parentAsinHistory": 2,
    "buyBoxSellerIdHistory": 2, "couponHistory": 3, "buyBoxUsedHistory": 4,
  ]

  /// Writes a product as it is to be seen. What is not touched is written byte for byte.
  func write(_ product: JSONValue, at now: Timestamp, to json: inout JSONWriter) {
    guard let members = product.members else { return json.raw(product.bytes) }
    let since = days.map { KeepaTime.minutes(milliseconds: now.milliseconds) - Int64($0) * 1_440 }
    let live = onlyLiveOffers ? Self.liveOffers(of: product) : nil
    json.beginObject()
    for member in members {
      let name = member.name
      if !hasVideos, name == "videos" { continue }
      if !hasAPlus, name == "aPlus" { continue }
      if !hasHistory {
        // `csv` stays, as null.
        switch ProductPart(member: name) {
        case .histories: continue
        case .csv:
          json.nullField(name)
          continue
        default: break
        }
      }
      switch name {
      case "stats":
        guard let stats else { continue }
        json.name(name)
        stats.write(member.value, of: product, at: now, to: &json)
      case "csv" where since != nil:
        json.name(name)
        Self.cut(csv: member.value, since: since ?? 0, &json)
      case "salesRanks" where since != nil:
        json.name(name)
        Self.cut(ranks: member.value, since: since ?? 0, &json)
      case "offers" where live != nil:
        json.name(name)
        Self.write(offers: member.value, live ?? [], &json)
      case "liveOffersOrder" where live != nil:
        json.name(name)
        Self.write(order: member.value, live ?? [], &json)
      default:
        if let since, let width = Self.widths[name] {
          json.name(name)
          Self.cut(member.value, width: width, since: since, &json)
        } else {
          json.rawField(name, member.value.bytes)
        }
      }
    }
    json.endObject()
  }

  /// Whether pieces of a body, left out or taken as they are, are all that is to be seen of it.
  var isOfPieces: Bool {
    days == nil && !onlyLiveOffers && (stats?.isAsBought ?? true)
  }

  /// Joins the pieces of a body that are to be seen. Nothing is inflated.
  func join(_ body: Body, to gzip: inout GzipJoiner) {
    gzip.append(Self.open)
    var isFirst = true
    for piece in body.pieces {
      let replacement: Fragment?
      switch ProductPart(rawValue: piece.part) {
      case .rest: replacement = nil
      case .csv: replacement = hasHistory ? nil : Self.nullHistory
      case .histories where hasHistory: replacement = nil
      case .stats where stats != nil: replacement = nil
      case .videos where hasVideos: replacement = nil
      case .aPlus where hasAPlus: replacement = nil
      default: continue
      }
      if !isFirst { gzip.append(Self.comma) }
      isFirst = false
      if let replacement { gzip.append(replacement) } else { gzip.append(piece, of: body) }
    }
    gzip.append(Self.close)
  }

  private static let open = Fragment.compressing(Array("{".utf8), level: 0)
  private static let close = Fragment.compressing(Array("}".utf8), level: 0)
  static let comma = Fragment.compressing(Array(",".utf8), level: 0)
  private static let nullHistory = Fragment.compressing(Array("\"csv\":null".utf8), level: 0)

  // MARK: Histories

  /// Writes what a flat history says since then, and the point that held before.
  private static func cut(
    _ history: JSONValue, width: Int, since: Int64, _ json: inout JSONWriter
  ) {
    guard let elements = history.array.map(Array.init), elements.count >= width,
      elements.count.isMultiple(of: width)
    else { return json.raw(history.bytes) }
    var start = 0
    for index in stride(from: 0, to: elements.count, by: width)
    where minute(elements[index]).map({ $0 <= since }) ?? false {
      start = index
    }
    json.array(elements[start...]) { json, element in json.raw(element.bytes) }
  }

  private static func minute(_ value: JSONValue) -> Int64? {
    value.int64 ?? value.string.flatMap { Int64($0) }
  }

  private static func cut(csv: JSONValue, since: Int64, _ json: inout JSONWriter) {
    guard let types = csv.array else { return json.raw(csv.bytes) }
    json.beginArray()
    for (index, history) in types.enumerated() {
      cut(history, width: KeepaHistories.width(of: index), since: since, &json)
    }
    json.endArray()
  }

  private static func cut(ranks: JSONValue, since: Int64, _ json: inout JSONWriter) {
    guard let members = ranks.members else { return json.raw(ranks.bytes) }
    json.beginObject()
    for member in members {
      json.name(member.name)
      cut(member.value, width: 2, since: since, &json)
    }
    json.endObject()
  }

  // MARK: Offers

  /// The places of the live offers, in the order of the list.
  private static func liveOffers(of product: JSONValue) -> [Int] {
    (product["liveOffersOrder"]?.array?.compactMap(\.int) ?? []).sorted()
  }

  private static func write(offers: JSONValue, _ live: [Int], _ json: inout JSONWriter) {
    guard let all = offers.array else { return json.raw(offers.bytes) }
    let wanted = Set(live)
    json.array(all.enumerated().filter { wanted.contains($0.offset) }) { json, offer in
      json.raw(offer.element.bytes)
    }
  }

  private static func write(order: JSONValue, _ live: [Int], _ json: inout JSONWriter) {
    guard let all = order.array else { return json.raw(order.bytes) }
    let placeOf = Dictionary(live.enumerated().map { ($0.element, $0.offset) }) { first, _ in first
    }
    json.array(all.compactMap(\.int).compactMap { placeOf[$0] })
  }
}
