import ArgumentParser
import TollbookSimulators

/// `tollbook simulate photos`
struct SimulatePhotosCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "photos",
    abstract: "Draw photos of things to sell that the stand-in for Gemini can name.",
    discussion: """
      Each is a PNG of an invented thing, the same ones for the same seed.

      Example:
        tollbook simulate photos ./photos --count 2
      """)

  @OptionGroup var files: DrawnFiles

  func run() throws {
    try files.write("photo") { number in
      ("png", PhotoDrawing.png(DrawnPhoto(number: number, seed: files.seed)))
    }
    Console.say("\(files.count) photos are in \(files.folder).")
  }
}
