import Testing

@testable import DealScout

@Suite struct EbayMarketplaceTests {
  @Test(arguments: [
    ("EBAY_US", "USD", "US", "www.ebay.com"), ("EBAY_GB", "GBP", "GB", "www.ebay.co.uk"),
    ("EBAY_DE", "EUR", "DE", "www.ebay.de"), ("EBAY_AU", "AUD", "AU", "www.ebay.com.au"),
    ("EBAY_CH", "CHF", "CH", "www.ebay.ch"), ("EBAY_PL", "PLN", "PL", "www.ebay.pl"),
    ("EBAY_CA", "CAD", "CA", "www.ebay.ca"), ("EBAY_HK", "HKD", "HK", "www.ebay.com.hk"),
  ])
  func `a site has its currency, country and host`(
    _ id: String, _ currency: String, _ country: String, _ site: String
  ) throws {
    let marketplace = try EbayMarketplace(id: id)
    #expect(marketplace.currency.code == currency)
    #expect(marketplace.country == country)
    #expect(marketplace.site == site)
    #expect(marketplace.id == id)
    #expect(!marketplace.name.isEmpty)
  }

  @Test(arguments: ["EBAY_XX", "ebay_us", "EBAY_US ", "", "EBAY_UK", "US", "EBAY_US\n"])
  func `a site that does not exist is refused by name`(_ id: String) {
    let fault = #expect(throws: EbayRequestFault.self) { try EbayMarketplace(id: id) }
    #expect(fault?.field == "marketplace")
    #expect(fault?.description.contains("EBAY_US") ?? false)
    #expect(fault?.description.contains("EBAY_AT, EBAY_AU") ?? false)
  }

  @Test func `names differ`() {
    #expect(EbayMarketplace.allCases.count == 16)
    #expect(Set(EbayMarketplace.allCases.map(\.name)).count == 16)
    #expect(Set(EbayMarketplace.allCases.map(\.site)).count == 16)
  }
}
