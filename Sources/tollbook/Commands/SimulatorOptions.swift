import ArgumentParser

/// A command that puts a stand-in for a metered API on a port.
protocol SimulatorCommand: AsyncParsableCommand {
  /// Where it listens unless another port is named.
  static var usualPort: Int { get }
}

/// Where a stand-in listens, and how fast it is.
struct SimulatorOptions<Command: SimulatorCommand>: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Port to listen on; 0 takes a free one.", valueName: "number"))
  var port = Command.usualPort

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How long a call takes, in milliseconds.", valueName: "ms"))
  var latencyMs = 0

  func validate() throws {
    guard (0...65_535).contains(port) else {
      throw ValidationError("--port is \(port); a port lies between 0 and 65535.")
    }
    guard (0...3_600_000).contains(latencyMs) else {
      throw ValidationError("--latency-ms is \(latencyMs); name 0 to 3600000 milliseconds.")
    }
  }
}
