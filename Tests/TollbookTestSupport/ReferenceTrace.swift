import Algorithms
import Keepa
package import TollbookUpstreams

/// A demand like that of a seller's tools: few products are asked for often, many seldom, and some requests want what
/// costs extra.
///
/// Product number k of n is asked for with a weight of 1 / k (Zipf's law with exponent 1), at instants that lie evenly in
/// the time.
package struct ReferenceTrace {
  /// How many of a hundred requests want which paid extras. The rest wants none.
  package static let mix: [(share: Int, name: String, extras: ContentSet)] = [
    (4, "buy box", .buyBox), (2, "rating", .rating), (1, "20 offers", .offers(upTo: 20)),
  ]

  package let demand: [WhatIfDemand]

  package init(seed: UInt64, products: Int, requests: Int, milliseconds: Int64) {
    var random = SeededGenerator(seed: seed)
    var sums: [Double] = []
    sums.reserveCapacity(products)
    var sum = 0.0
    for rank in 1...products {
      sum += 1 / Double(rank)
      sums.append(sum)
    }
    let step = milliseconds / Int64(requests)
    demand = (0..<requests).map { number in
      let draw = Double(random.next() >> 11) / Double(1 << 53) * sum
      let rank = sums.partitioningIndex { $0 > draw }
      return WhatIfDemand(
        at: Int64(number + 1) * step, asins: [Self.asin(min(rank, products - 1))],
        contentSet: Self.extras(random.int(0...99)), isAfterTally: number % 1_000 == 0)
    }
  }

  private static func asin(_ product: Int) -> String {
    let digits = String(product)
    return "B" + String(repeating: "0", count: 9 - digits.count) + digits
  }

  private static func extras(_ draw: Int) -> ContentSet {
    var end = 0
    for part in mix {
      end += part.share
      if draw < end { return part.extras }
    }
    return .plain
  }

  /// What an ideal cache buys: one that never forgets, has no overhead, keeps each part for as long as it is fresh, and
  /// buys just what is asked for whenever a part of it is missing.
  ///
  /// - Parameter fresh: how long a part is fresh, in milliseconds.
  /// - Returns: the requests that are bought, in order.
  package func ideal(fresh: Int64) -> [WhatIfDemand] {
    var held: [String: [Part: Int64]] = [:]
    return demand.filter { request in
      let asin = request.asins[0]
      let parts = Part.all(of: request.contentSet)
      if parts.allSatisfy({ request.at < (held[asin]?[$0]).map { $0 + fresh } ?? .min }) {
        return false
      }
      for part in parts {
        held[asin, default: [:]][part] = request.at + WhatIfWorld.answerTime
      }
      return true
    }
  }

  /// What costs nothing extra, or a bit of a content set.
  private enum Part: Hashable {
    case free
    case extra(Int)

    static func all(of extras: ContentSet) -> [Part] {
      [.free]
        + (0..<UInt64.bitWidth).filter { extras.rawValue >> UInt64($0) & 1 == 1 }.map { .extra($0) }
    }
  }
}
