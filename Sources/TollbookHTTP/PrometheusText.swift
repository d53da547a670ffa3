import TollbookLog

/// Writes the text format of Prometheus, version 0.0.4. Pure: it is told names and values and writes them.
struct PrometheusText {
  enum Kind: String {
    case counter, gauge, histogram
  }

  typealias Labels = [(name: String, value: String)]

  private(set) var text = ""

  /// One family of samples. Without any sample nothing is written.
  mutating func family(
    _ name: String, _ kind: Kind, _ help: String, _ samples: [(labels: Labels, value: Double)]
  ) {
    guard !samples.isEmpty else { return }
    head(name, kind, help)
    for sample in samples { line(name, sample.labels, sample.value) }
  }

  /// A family of one sample without labels.
  mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
    family(name, kind, help, [([], value)])
  }

  /// A family of histograms.
  mutating func histograms(
    _ name: String, _ help: String, _ samples: [(labels: Labels, histogram: Histogram)]
  ) {
    guard !samples.isEmpty else { return }
    head(name, .histogram, help)
    for (labels, histogram) in samples {
      var total: UInt64 = 0
      for (bound, count) in zip(histogram.bounds, histogram.counts) {
        total += count
        line("\(name)_bucket", labels + [("le", Self.number(bound))], Double(total))
      }
      total += histogram.counts.last ?? 0
      line("\(name)_bucket", labels + [("le", "+Inf")], Double(total))
      line("\(name)_sum", labels, histogram.sum)
      line("\(name)_count", labels, Double(total))
    }
  }

  private mutating func head(_ name: String, _ kind: Kind, _ help: String) {
    text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
  }

  private mutating func line(_ name: String, _ labels: Labels, _ value: Double) {
    text += name
    if !labels.isEmpty {
      let pairs = labels.map { "\($0.name)=\"\(Self.escaped($0.value, quotes: true))\"" }
      text += "{\(pairs.joined(separator: ","))}"
    }
    text += " \(Self.number(value))\n"
  }

  /// Whole numbers without a point, as Prometheus' own clients write them.
  static func number(_ value: Double) -> String {
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    if value.isNaN { return "NaN" }
    let whole = value.rounded()
    return whole == value && abs(whole) < 1e15 ? "\(Int64(whole))" : value.description
  }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": escaped += "\\\\"
      case "\n": escaped += "\\n"
      case "\"" where quotes: escaped += "\\\""
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
