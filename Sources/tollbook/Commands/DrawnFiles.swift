import ArgumentParser
import Foundation

/// How many files a command draws, of what, and where it puts them.
struct DrawnFiles: ParsableArguments {
  @Argument(help: ArgumentHelp("The folder to put them into.", valueName: "folder"))
  var folder: String

  @Option(parsing: .unconditional, help: ArgumentHelp("How many to draw.", valueName: "number"))
  var count = 10

  @Option(
    parsing: .unconditional, help: ArgumentHelp("What they are made from.", valueName: "number"))
  var seed: UInt64 = 1

  func validate() throws {
    guard (1...10_000).contains(count) else {
      throw ValidationError("--count is \(count); name 1 to 10000.")
    }
  }

  /// Draws each and writes it, as `name-00001.end`.
  ///
  /// - Parameter draw: makes the file of a number, from 1 on: what its name ends with, and its bytes.
  func write(_ name: String, _ draw: (_ number: Int) -> (end: String, bytes: [UInt8])) throws {
    let files = FileManager.default
    do {
      try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
      for number in 1...count {
        let (end, bytes) = draw(number)
        let digits = String(number + 100_000).dropFirst()
        try Data(bytes).write(to: URL(filePath: "\(folder)/\(name)-\(digits).\(end)"))
      }
    } catch { throw FileTrouble(writing: folder, error) }
  }
}
