import Keepa
import Testing
import TollbookForecast
import TollbookGateway

@Suite struct WhatIfPolicyTests {
  private let base = FreshnessPolicy()

  private func complaint(about text: String) -> String? {
    do throws(WhatIfPolicy.Problem) {
      _ = try WhatIfPolicy(text, of: .keepa, base: base)
      return nil
    } catch { return error.description }
  }

  @Test func `windows are set by name, the others stay as they are`() throws {
    let policy = try WhatIfPolicy("keepa.product.fresh=14d,grace=12h", of: .keepa, base: base)
    #expect(policy.products.present.fresh == 14 * 86_400_000)
    #expect(policy.products.present.grace == 12 * 3_600_000)
    #expect(policy.products.present.errorGrace == base.present.errorGrace)
    #expect(policy.products.absent == base.absent)
    #expect(policy.name == "keepa.product.fresh=14d,grace=12h")
    let absent = try WhatIfPolicy(
      "keepa.product.absent.fresh=90s, errorgrace=30m", of: .keepa, base: base)
    #expect(absent.products.absent.fresh == 90_000)
    #expect(absent.products.present.errorGrace == 30 * 60_000)
  }

  @Test func `what is fresh for longer than it is kept is kept for as long`() throws {
    let policy = try WhatIfPolicy("keepa.product.fresh=400d", of: .keepa, base: base)
    #expect(policy.products.present.keep == policy.products.present.fresh)
  }

  @Test(arguments: [
    ("keepa.deals.fresh=3d", "keepa.deals"), ("amazon.product.fresh=3d", "amazon.product"),
    ("keepa.product.fresh=-1d", "negative"), ("keepa.product.newness=3d", "newness"),
    ("fresh=3d", "keepa.product.fresh"), ("keepa.product.fresh=3", "keepa.product.fresh"),
    ("keepa.product.fresh=3w", "3w"), ("keepa.product.fresh", "keepa.product.fresh"), ("", ""),
    ("keepa.product.fresh=3d,fresh=4d", "twice"), ("keepa.product.fresh=3d,,grace=1d", "grace"),
    ("keepa.product.fresh=99999999999999999999d", "99999999999999999999d"),
    ("keepa.product.fresh=99999999d", "century"), ("keepa.product.fresh=3d,keep=1d", "keeps"),
    ("keepa.product.fresh=3d,grase=1d", "grase"), ("keepa.product.fresh=٣d", "٣d"),
  ])
  func `what is no policy is refused by name`(text: String, named: String) throws {
    let problem = try #require(complaint(about: text))
    #expect(problem.contains(named), "\(problem)")
  }
}
