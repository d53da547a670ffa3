import Foundation

/// What the process holds for itself: `RssAnon` of `/proc`, without the pages of the map, which the kernel takes back
/// when it needs them.
package enum ProcessMemory {
  /// In bytes; 0 where there is no `/proc`.
  package static var privateBytes: Int {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else {
      return 0
    }
    for line in status.split(separator: "\n") where line.hasPrefix("RssAnon:") {
      let words = line.split(whereSeparator: \.isWhitespace)
      return words.count > 1 ? (Int(words[1]) ?? 0) * 1_024 : 0
    }
    return 0
  }

  /// In units of 1,000,000 bytes, to a tenth.
  static var privateMegabytes: Double { rounded(Double(privateBytes) / 1e6, digits: 1) }
}

/// A number to so many decimals.
package func rounded(_ value: Double, digits: Int) -> Double {
  var scale = 1.0
  for _ in 0..<digits { scale *= 10 }
  return (value * scale).rounded() / scale
}
