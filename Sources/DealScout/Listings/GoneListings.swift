import Synchronization
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

// What eBay shows no more is not kept: its licence says so.

extension Scout {
  /// The kinds whose bodies hold listings.
  static let listingKinds: Set<String> = [
    EbayUpstream.searchKind, EbayUpstream.comparablesKind, EbayUpstream.itemKind,
  ]
  /// Pages that are looked through at most.
  private static let mostPages = 10_000

  /// Takes listings out of all that is kept: the index, the pages that show them, each with its body, and the bodies of
  /// what was kept of them before. A page that goes is bought anew by the next scan.
  ///
  /// - Returns: how many entries and bodies were removed.
  @discardableResult
  func forget(
    _ ids: Set<EbayItemID>, _ gateway: Gateway
  ) async throws(LogError) -> (entries: Int, bodies: Int) {
    guard !ids.isEmpty else { return (0, 0) }
    index.remove(ids, gone: gateway.log.time.now())
    var entries = 0
    for kind in [EbayUpstream.searchKind, EbayUpstream.comparablesKind] {
      for entry in try gateway.kept(under: "shared/\(kind)/", atMost: Self.mostPages) {
        await Task.yield()
        guard let content = try gateway.content(of: entry), Self.shows(content, any: ids) else {
          continue
        }
        if try await gateway.removeKept(entry.resource, note: Self.notPublic) { entries += 1 }
      }
    }
    for id in ids {
      let resource = EbayNeed.item(id).resource
      // That it is not there is kept: it is what nobody has to ask again.
      guard let entry = try gateway.kept(resource), entry.isPresent else { continue }
      if try await gateway.removeKept(resource, note: Self.notPublic) { entries += 1 }
    }
    return (entries, try await removeReplaced(gateway))
  }

  /// Removes the bodies of pages and items that were replaced, or whose day is over: what they showed may be gone, and
  /// nobody asks eBay about it any more.
  @discardableResult
  func removeReplaced(_ gateway: Gateway) async throws(LogError) -> Int {
    let after = replacedThrough.withLock(\.self)
    let (through, bodies) = try await gateway.removeReleasedBodies(
      of: Self.listingKinds, after: after)
    replacedThrough.withLock { $0 = max($0, through) }
    return bodies
  }

  private static let notPublic = "eBay does not show it any more"

  /// Whether a page names one of the listings.
  private static func shows(_ content: [UInt8], any ids: Set<EbayItemID>) -> Bool {
    guard let page = try? EbaySearchPage(content) else {
      // What cannot be read does not stay on the chance that it shows none of them.
      return true
    }
    return page.listings.contains { ids.contains($0.itemId) }
  }
}
