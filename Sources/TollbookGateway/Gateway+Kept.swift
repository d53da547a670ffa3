package import TollbookEvents
package import TollbookLog
package import TollbookViews

// What a system keeps that nobody sells, such as what a client has sent in: entries of a kind of its own.

extension Gateway {
  /// Keeps a content as an entry, sealed if its kind is. It is on the disk when this returns.
  ///
  /// - Throws: `PurchaseProblem` if there is no space for it, or it cannot be sealed.
  package func keep(_ content: [UInt8], as resource: ResourceKey) async throws(PurchaseProblem) {
    do throws(LogError) {
      if let shortage = try log.shortage() { throw .readOnly(reason: shortage) }
    } catch { throw PurchaseProblem(error) }
    guard resource.isPossible else { throw PurchaseProblem(.requestRejected, resource.fault) }
    guard let body = await sealed(content, as: resource) else {
      throw PurchaseProblem(
        .storageFailed,
        "it cannot be sealed: the data key of the account cannot be used, or not be kept")
    }
    let (cache, kinds, now) = (cache, importedKinds, log.time.now())
    do throws(LogError) {
      _ = try await log.decide { (state, _) throws(LogError) in
        let event = CacheWritten(
          Write(resource, body: []), body, in: kinds.first { $0.name == resource.kind }, fetch: 0,
          fetched: now, costs: [], after: try cache.all(of: resource, in: state))
        return Decision(events: [.cacheWritten(event)], bodies: [body], answer: ())
      }
    } catch { throw PurchaseProblem(error) }
  }

  /// Compresses and seals: work for a processor, not for whoever else runs on this task's executor.
  @concurrent
  private func sealed(_ content: [UInt8], as resource: ResourceKey) async -> Body? {
    stored(content, as: resource).map { Body($0) }
  }

  /// The entry of what was kept; nil: there is none any more. Counts as no read.
  package func kept(_ resource: ResourceKey) throws(LogError) -> CacheEntry? {
    let cache = cache
    return try log.read { (reading) throws(LogError) in
      try cache.entry(resource, covering: 0, in: reading)
    }
  }

  /// The content of what was kept; nil: it is not there any more, or the key is gone that it was sealed with.
  package func keptContent(_ resource: ResourceKey) throws(LogError) -> [UInt8]? {
    guard let entry = try kept(resource) else { return nil }
    return try content(of: entry)
  }
}
