import Foundation

/// A figure with its name, for a table on the terminal.
struct Row {
  let name: String
  let figure: String
  let ratio: String

  init(_ name: String, _ figure: String, _ ratio: String = "") {
    self.name = name
    self.figure = figure
    self.ratio = ratio
  }
}

/// Prints rows under a title, in columns.
func printTable(_ title: String, _ rows: [Row]) {
  let width = rows.map(\.name.count).max() ?? 0
  let figures = rows.map(\.figure.count).max() ?? 0
  print("\n\(title)")
  for row in rows {
    let name = row.name.padding(toLength: width, withPad: " ", startingAt: 0)
    let figure = String(repeating: " ", count: figures - row.figure.count) + row.figure
    print("  \(name)  \(figure)  \(row.ratio)")
  }
}

/// Seconds that the body takes.
func seconds(_ body: () throws -> Void) rethrows -> Double {
  let clock = ContinuousClock()
  let elapsed = try clock.measure { try body() }
  return elapsed.inSeconds
}

/// Seconds that the body takes.
func seconds(_ body: () async throws -> Void) async rethrows -> Double {
  let start = ContinuousClock.now
  try await body()
  return start.duration(to: .now).inSeconds
}

extension Duration {
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

/// A whole number with blanks between thousands.
func grouped(_ number: Double) -> String {
  var digits = Array(String(Int64(number.rounded())))
  var index = digits.count - 3
  while index > 0 {
    digits.insert(" ", at: index)
    index -= 3
  }
  return String(digits)
}

func percent(_ part: Double, of whole: Double) -> String {
  String(format: "%.2f", part / whole)
}

/// A folder that is removed when the body has ended.
func withFolder<R>(in parent: String, _ body: (String) async throws -> R) async rethrows -> R {
  let path = "\(parent)/tollbook-bench-\(UUID().uuidString.prefix(8))"
  try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try await body(path)
}
