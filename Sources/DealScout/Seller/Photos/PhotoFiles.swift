package import TollbookGateway

extension AccountFiles {
  /// The pictures of sellers.
  package static func photos(_ settings: SellerSettings) -> AccountFiles {
    AccountFiles(
      forget: { gateway, account in
        try await SellerDesk(gateway, settings).photos.removeAll(of: account)
      },
      sweep: { gateway in try await SellerDesk(gateway, settings).photos.sweep() })
  }
}
