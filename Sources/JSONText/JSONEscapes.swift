/// Undoes the escapes of a string that the scanner has passed, quotes excluded.
func unescaped(_ text: ArraySlice<UInt8>) -> [UInt8] {
  var result: [UInt8] = []
  result.reserveCapacity(text.count)
  var at = text.startIndex
  while at < text.endIndex {
    guard text[at] == UInt8(ascii: "\\") else {
      result.append(text[at])
      at += 1
      continue
    }
    switch text[at + 1] {
    case UInt8(ascii: "b"): result.append(0x08)
    case UInt8(ascii: "f"): result.append(0x0C)
    case UInt8(ascii: "n"): result.append(0x0A)
    case UInt8(ascii: "r"): result.append(0x0D)
    case UInt8(ascii: "t"): result.append(0x09)
    case UInt8(ascii: "u"):
      let first = codeUnit(text, at)
      at += 6
      // A high half joins with a low half right behind it; any other half is no character.
      if 0xD800..<0xDC00 ~= first, at + 6 <= text.endIndex, text[at] == UInt8(ascii: "\\"),
        text[at + 1] == UInt8(ascii: "u"), 0xDC00..<0xE000 ~= codeUnit(text, at)
      {
        append(0x10000 + (first - 0xD800) << 10 + (codeUnit(text, at) - 0xDC00), to: &result)
        at += 6
      } else {
        append(first, to: &result)
      }
      continue
    default: result.append(text[at + 1])
    }
    at += 2
  }
  return result
}

/// The number in the escape `\uXXXX` at `at`.
private func codeUnit(_ text: ArraySlice<UInt8>, _ at: Int) -> UInt32 {
  text[at + 2..<at + 6].reduce(0) { $0 << 4 | (hexValue($1) ?? 0) }
}

private func append(_ scalar: UInt32, to result: inout [UInt8]) {
  let character = Character(Unicode.Scalar(scalar) ?? "\u{FFFD}")
  result.append(contentsOf: character.utf8)
}
