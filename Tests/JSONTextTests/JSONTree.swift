import JSONText

/// A value of its own, to compare what was written with what was read.
indirect enum JSONTree: Equatable {
  case null
  case bool(Bool)
  case signed(Int64)
  case unsigned(UInt64)
  case double(Double)
  case string(String)
  case array([JSONTree])
  case object([Member])

  struct Member: Equatable {
    let name: String
    let value: JSONTree
  }
}

extension JSONTree: JSONWritable {
  func write(to json: inout JSONWriter) {
    switch self {
    case .null: json.null()
    case .bool(let value): json.value(value)
    case .signed(let value): json.value(value)
    case .unsigned(let value): json.value(value)
    case .double(let value): json.value(value)
    case .string(let value): json.value(value)
    case .array(let elements): json.array(elements)
    case .object(let members):
      json.object { json in for member in members { json.field(member.name, member.value) } }
    }
  }

  /// Reads a whole value back. An integer that fits both ways reads as signed.
  init(_ value: JSONValue) {
    switch value.kind {
    case .null: self = .null
    case .bool: self = .bool(value.bool!)
    case .string: self = .string(value.string!)
    case .array: self = .array(value.array!.map { JSONTree($0) })
    case .object:
      self = .object(value.members!.map { Member(name: $0.name, value: JSONTree($0.value)) })
    case .number:
      if let integer = value.int64 {
        self = .signed(integer)
      } else if let integer = value.uint64 {
        self = .unsigned(integer)
      } else {
        self = .double(value.double!)
      }
    }
  }

  /// A value made of everything that JSON has, strange characters included.
  static func random(depth: Int, using random: inout SeededRandom) -> JSONTree {
    switch Int.random(in: 0..<(depth > 0 ? 9 : 7), using: &random) {
    case 0: .null
    case 1: .bool(Bool.random(using: &random))
    case 2: .signed(Int64.random(in: .min ... .max, using: &random))
    case 3: .signed(Int64.random(in: -20...20, using: &random))
    case 4: .unsigned(UInt64.random(in: UInt64(Int64.max) + 1 ... .max, using: &random))
    case 5: .double(Self.randomDouble(using: &random))
    case 6: .string(Self.randomString(using: &random))
    case 7:
      .array(
        (0..<Int.random(in: 0...5, using: &random)).map { _ in
          Self.random(depth: depth - 1, using: &random)
        })
    default:
      .object(
        (0..<Int.random(in: 0...5, using: &random)).map { index in
          Member(
            name: "\(index)\(Self.randomString(using: &random))",
            value: Self.random(depth: depth - 1, using: &random))
        })
    }
  }

  private static func randomDouble(using random: inout SeededRandom) -> Double {
    let value = Double(bitPattern: UInt64.random(in: 0 ... .max, using: &random))
    return value.isFinite ? value : 0.1
  }

  private static func randomString(using random: inout SeededRandom) -> String {
    let ranges: [ClosedRange<UInt32>] = [
      0...0x1F, 0x20...0x7E, 0x20...0x7E, 0x22...0x22, 0x5C...0x5C, 0x7F...0x7FF,
      0x800...0xD7FF, 0xE000...0xFFFF, 0x1_0000...0x10_FFFF,
    ]
    var text = ""
    for _ in 0..<Int.random(in: 0...24, using: &random) {
      let range = ranges.randomElement(using: &random)!
      text.unicodeScalars.append(Unicode.Scalar(UInt32.random(in: range, using: &random))!)
    }
    return text
  }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
