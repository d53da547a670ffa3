import Foundation

/// Reads metrics as Prometheus does, and says what it would not take.
enum MetricsText {
  static func complaints(of text: String) -> [String] {
    guard text.hasSuffix("\n") else { return ["no line break at the end"] }
    var reader = Reader()
    for line in text.split(separator: "\n") { reader.read(String(line)) }
    reader.finish()
    return reader.complaints
  }

  private struct Reader {
    var complaints: [String] = []
    private var types: [String: String] = [:]
    private var helps: Set<String> = []
    private var series: Set<String> = []
    /// Of the histogram that is being read, with the value of the bucket before.
    private var bucket: (series: String, value: Double)?
    private var isAllCounted: Set<String> = []

    mutating func read(_ line: String) {
      let words = line.split(separator: " ", maxSplits: 3).map(String.init)
      if line.hasPrefix("# HELP "), words.count == 4 {
        helps.insert(words[2])
      } else if line.hasPrefix("# TYPE "), words.count == 4 {
        types[words[2]] = words[3]
        if !helps.contains(words[2]) { complaints.append("\(words[2]) has no help") }
        if words[3] == "counter", !words[2].hasSuffix("_total") {
          complaints.append("\(words[2]) is a counter without _total")
        }
      } else {
        readSample(line)
      }
    }

    private mutating func readSample(_ line: String) {
      // A label's value is made of escapes and of anything but quotes, backslashes and line breaks.
      let label = #/[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\[\\"n])*"/#
      let sample = #/([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([^ ].*)\})? ([^ ]+)/#
      guard let found = line.wholeMatch(of: sample) else {
        return complaints.append("\(line) is no sample")
      }
      let name = String(found.1)
      var rest = found.2 ?? ""
      var labels: [String] = []
      while let match = rest.prefixMatch(of: label) {
        labels.append(String(match.0))
        rest = rest[match.range.upperBound...]
        if rest.hasPrefix(","), rest.count > 1 { rest.removeFirst() }
      }
      guard rest.isEmpty, found.2 == nil || !labels.isEmpty else {
        return complaints.append("\(line) is no sample")
      }
      guard let value = Double(found.3) else {
        return complaints.append("\(found.3) is no number")
      }
      let full = labels.isEmpty ? name : "\(name){\(labels.joined(separator: ","))}"
      if !series.insert(full).inserted { complaints.append("\(full) stands twice") }
      check(name, labels, full, value)
    }

    private mutating func check(
      _ name: String, _ labels: [String], _ full: String, _ value: Double
    ) {
      let family =
        ["_bucket", "_sum", "_count"].lazy
        .compactMap { name.hasSuffix($0) ? String(name.dropLast($0.count)) : nil }
        .first { types[$0] == "histogram" } ?? name
      guard let type = types[family] else { return complaints.append("\(family) has no type") }
      if type == "counter", value < 0 { complaints.append("\(name) is below zero") }
      guard type == "histogram", name.hasSuffix("_bucket") else { return bucket = nil }
      let others = "\(name){\(labels.filter { !$0.hasPrefix("le=") }.joined(separator: ","))}"
      if let bucket, bucket.series == others, value < bucket.value {
        complaints.append("\(full) is less than the one before")
      }
      bucket = (others, value)
      if labels.contains(#"le="+Inf""#) { isAllCounted.insert(family) }
    }

    mutating func finish() {
      for (family, type) in types.sorted(by: { $0.key < $1.key })
      where type == "histogram" && !isAllCounted.contains(family) {
        complaints.append("\(family) has no bucket for all")
      }
    }
  }
}
