import Bytes

extension ReadTransaction {
  /// The least key that two tables do not both have with the same value; nil if they hold the same.
  ///
  /// - Complexity: O(entries up to there).
  package borrowing func firstDifference(
    between left: Table, and right: Table
  ) throws(LMDBError) -> [UInt8]? {
    var first = try Cursor(in: self, over: left)
    var second = try Cursor(in: self, over: right)
    var isFirst = try first.moveToEnd(last: false)
    var isSecond = try second.moveToEnd(last: false)
    while isFirst && isSecond {
      let difference = first.read { (key, value) -> [UInt8]? in
        second.read { (otherKey, otherValue) -> [UInt8]? in
          if key.elementsEqual(otherKey) && value.elementsEqual(otherValue) { return nil }
          let isLess = key.lexicographicallyPrecedes(otherKey)
          return [UInt8](copying: isLess ? key : otherKey)
        }
      }
      if let difference { return difference }
      isFirst = try first.advance(descending: false)
      isSecond = try second.advance(descending: false)
    }
    if isFirst { return first.read { (key, _) in [UInt8](copying: key) } }
    if isSecond { return second.read { (key, _) in [UInt8](copying: key) } }
    return nil
  }
}
