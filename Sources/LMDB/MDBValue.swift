import CLMDB

// What LMDB calls an MDB_val is a pointer and a length. These conversions are the only way
// bytes go in and out of it.

/// Lends `bytes` to one call of LMDB.
func withMDBValue<R: ~Copyable, E: Error>(
  of bytes: Span<UInt8>, _ body: (inout MDB_val) throws(E) -> R
) throws(E) -> R {
  // SAFETY: the value lives inside the call that lends the pointer. LMDB takes keys and values by
  // mutable pointers, yet only reads what they point to.
  try unsafe bytes.withUnsafeBytes { (buffer) throws(E) -> R in
    let address = unsafe UnsafeMutableRawPointer(mutating: buffer.baseAddress)
    var value = unsafe MDB_val(mv_size: buffer.count, mv_data: address)
    return unsafe try body(&value)
  }
}

/// Lends `bytes` to one call of LMDB.
func withMDBValue<R: ~Copyable, E: Error>(
  of bytes: RawSpan, _ body: (inout MDB_val) throws(E) -> R
) throws(E) -> R {
  // SAFETY: as above.
  try unsafe bytes.withUnsafeBytes { (buffer) throws(E) -> R in
    let address = unsafe UnsafeMutableRawPointer(mutating: buffer.baseAddress)
    var value = unsafe MDB_val(mv_size: buffer.count, mv_data: address)
    return unsafe try body(&value)
  }
}

extension MDB_val {
  /// The bytes LMDB points to: inside the map, until the transaction ends or writes.
  @unsafe var buffer: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(start: mv_data, count: mv_size)
  }

  /// A copy that outlives the transaction.
  var copied: [UInt8] { unsafe [UInt8](buffer) }
}
