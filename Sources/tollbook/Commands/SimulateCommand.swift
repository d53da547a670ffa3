import ArgumentParser

/// `tollbook simulate`
struct SimulateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Run a stand-in for a metered API on this machine.",
    subcommands: [
      SimulateKeepaCommand.self, SimulateGeminiCommand.self, SimulateBinanceCommand.self,
      SimulateEbayCommand.self, SimulateInvoicesCommand.self,
      SimulatePhotosCommand.self,
    ])
}
