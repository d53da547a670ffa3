package import Extraction
package import TollbookGateway

/// How the seller's desk is set up.
package struct SellerSettings: Sendable {
  /// The data directory: photos lie in a folder of it.
  package let directory: String
  /// How long pictures are kept, in days; from 1 to 3,650.
  package let photoDays: Int64
  package let models: GeminiModels
  /// The name of the model that looks at photos.
  package let model: String
  /// Of photos in memory, of requests and jobs together.
  let room = UploadRoom(limit: 96 << 20)

  package init(
    directory: String, photoDays: Int64, models: GeminiModels, model: String
  ) {
    self.directory = directory
    self.photoDays = min(max(1, photoDays), 3_650)
    self.models = models
    self.model = model
  }
}

/// What a seller works with: photos, what a model has found in them, drafts of listings, and sales of the user's own.
package struct SellerDesk: Sendable {
  let gateway: Gateway
  let settings: SellerSettings
  /// Knows the listings that were seen; nil: prices are suggested by own sales alone.
  let scout: Scout?

  package init(_ gateway: Gateway, _ settings: SellerSettings, scout: Scout? = nil) {
    self.gateway = gateway
    self.settings = settings
    self.scout = scout
  }

  var photos: PhotoBook {
    PhotoBook(
      gateway: gateway, store: PhotoStore(directory: settings.directory), days: settings.photoDays)
  }
  var drafts: DraftBook { DraftBook(gateway: gateway) }
  var sales: SalesBook { SalesBook(gateway: gateway) }
}
