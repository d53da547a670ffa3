import Bytes

/// What a run of events changes of a table: read into memory once, changed there, and written at the end of the run in
/// key order, which a tree of pages takes best.
///
/// The values stand under the bytes of their keys and not under texts: to Swift two texts can be equal that differ in
/// their bytes, and then the rows would depend on how the events are cut into runs.
struct TouchedRows<Value> {
  private var places: [KeyBytes: Int] = [:]
  private var keys: [KeyBytes] = []
  private var rows: [Value] = []

  /// Where the value of a key stands.
  ///
  /// - Parameter read: gives the value if the key was not touched yet.
  mutating func place<E: Error>(
    of key: KeyBytes, _ read: () throws(E) -> Value
  ) throws(E) -> Int {
    if let place = places[key] { return place }
    rows.append(try read())
    keys.append(key)
    places[key] = rows.count - 1
    return rows.count - 1
  }

  subscript(place: Int) -> Value {
    get { rows[place] }
    _modify { yield &rows[place] }
  }

  /// Hands out the rows in the order of their keys.
  func inKeyOrder<E: Error>(_ body: (KeyBytes, borrowing Value) throws(E) -> Void) throws(E) {
    let (keys, rows) = (keys.span, rows.span)
    for place in order { try body(keys[place], rows[place]) }
  }

  /// The places in the order of their keys. Most keys begin alike and differ soon after: words are compared, and whole
  /// keys only where those are the same.
  private var order: [Int] {
    guard let first = keys.first else { return [] }
    let shared = keys.reduce(first.bytes.count) { min($0, $1.commonPrefix(with: first)) }
    var order = keys.enumerated().map { (word: $1.word(at: shared), place: $0) }
    order.sort {
      $0.word == $1.word ? keys[$0.place] < keys[$1.place] : $0.word < $1.word
    }
    return order.map(\.place)
  }
}
