import LMDB

/// What a run of events changes of a table: read into memory once, changed there, and written at the end of the run in
/// key order, which a tree of pages takes best.
///
/// The values stand under the bytes of their keys and not under texts: to Swift two texts can be equal that differ in
/// their bytes, and then the rows would depend on how the events are cut into runs.
struct TouchedRows<Value> {
  private var places: [KeyBytes: Int] = [:]
  private var rows: [Value] = []

  /// Where the value of a key stands.
  ///
  /// - Parameter read: gives the value if the key was not touched yet.
  mutating func place<E: Error>(
    of key: KeyBytes, _ read: () throws(E) -> Value
  ) throws(E) -> Int {
    if let place = places[key] { return place }
    rows.append(try read())
    places[key] = rows.count - 1
    return rows.count - 1
  }

  subscript(place: Int) -> Value {
    get { rows[place] }
    _modify { yield &rows[place] }
  }

  /// Hands out the rows in the order of their keys.
  func inKeyOrder<E: Error>(_ body: (KeyBytes, borrowing Value) throws(E) -> Void) throws(E) {
    // Only keys and places are moved about.
    var order = places.map { (key: $0.key, place: $0.value) }
    order.sort { $0.key < $1.key }
    let rows = rows.span
    for entry in order { try body(entry.key, rows[entry.place]) }
  }
}
