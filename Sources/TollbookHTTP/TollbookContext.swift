package import Hummingbird

/// What belongs to one request.
package struct TollbookContext: RequestContext {
  /// The longest body of a request that is read: a thousand ASINs take 13 KB.
  package static let maximumBody = 1 << 20

  package var coreContext: CoreRequestContextStorage

  package init(source: Source) { coreContext = .init(source: source) }

  package var maxUploadSize: Int { Self.maximumBody }
}
