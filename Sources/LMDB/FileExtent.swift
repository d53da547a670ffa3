import CLMDB
import Glibc

/// Whether the file of an environment is as long as its pages, looked at with plain reads: a page that is not there
/// ends the process as soon as it is touched in the map.
///
/// The end of a sound file may lie before its last page: pages that a commit took and gave back at once are never
/// written. They stand in the list of free pages, and that is where they are looked up. Each write transaction begins
/// by letting the file reach to the last page of the commit before it, so that only the last one can have such pages.
struct FileExtent {
  // Of LMDB 0.9, as `mdb.c` has them; the format of the file does not change within that version.
  private static let pageHeader = 16
  private static let branchPage: UInt16 = 0x01
  private static let leafPage: UInt16 = 0x02
  private static let bigNode: UInt16 = 0x01
  private static let noRoot = UInt64.max

  private let file: Int32
  private let pageSize: Int
  /// Pages that are wholly in the file.
  private let pages: UInt64

  /// Lets the file reach to its last page. To be called by whoever has the write transaction, before it writes: nobody
  /// else changes the length meanwhile.
  ///
  /// - Throws: `.noSpace` if the file may not become so long. Nothing may be written then: only the last commit may have
  ///   pages beyond the end.
  @unsafe static func extend(_ handle: OpaquePointer) throws(LMDBError) {
    var information = unsafe MDB_envinfo()
    var statistics = MDB_stat()
    var file: Int32 = 0
    var status = stat()
    unsafe try LMDBError.check(mdb_env_info(handle, &information), .environmentStatistics)
    unsafe try LMDBError.check(mdb_env_stat(handle, &statistics), .environmentStatistics)
    unsafe try LMDBError.check(mdb_env_get_fd(handle, &file), .environmentStatistics)
    guard unsafe fstat(file, &status) == 0 else { throw LMDBError(code: errno, .inspectFolder) }
    let needed = unsafe (information.me_last_pgno + 1) * Int(statistics.ms_psize)
    guard status.st_size < needed else { return }
    // Beyond the limit for files the process would be ended.
    guard needed <= FileRoom.lengthLimit ?? .max, ftruncate(file, off_t(needed)) == 0 else {
      throw LMDBError(.noSpace, .commit)
    }
  }

  /// - Parameter isKeptWhole: whether all who wrote did what `extend` does.
  /// - Throws: `.cutShort` if pages are missing that were written.
  @unsafe static func check(_ handle: OpaquePointer, isKeptWhole: Bool) throws(LMDBError) {
    // The pages that it sees stay as they are while it lasts, whoever writes.
    let transaction = unsafe try Environment.begin(handle, .readOnly)
    var file: Int32 = 0
    unsafe try LMDBError.check(mdb_env_get_fd(handle, &file), .openEnvironment)
    var statistics = MDB_stat()
    unsafe try LMDBError.check(mdb_env_stat(handle, &statistics), .environmentStatistics)
    let pageSize = Int(statistics.ms_psize)
    let metas = (0..<2).compactMap { Meta(file, at: $0 * pageSize) }
    // Both are newer if others have written twice meanwhile: then there is nothing wrong with the end.
    guard let meta = metas.first(where: { $0.transaction == UInt64(transaction.id) }) else {
      return
    }
    var status = stat()
    guard unsafe fstat(file, &status) == 0 else {
      throw LMDBError(code: errno, .inspectFolder)
    }
    let size = Int(status.st_size)
    let extent = FileExtent(file: file, pageSize: pageSize, pages: UInt64(size / pageSize))
    guard extent.pages <= meta.lastPage else { return }
    let before = metas.first { $0.transaction < meta.transaction }
    let isShortBefore = before.map { extent.pages <= $0.lastPage } ?? false
    let missing = meta.lastPage + 1 - extent.pages
    if !(isKeptWhole && isShortBefore),
      extent.missingPages(listedUnder: meta.freeRoot, depth: 0) == missing
    {
      return
    }
    let needed = Int(clamping: meta.lastPage).addingReportingOverflow(1).partialValue
      .multipliedReportingOverflow(by: pageSize)
    throw LMDBError(
      .cutShort(bytes: size, needed: needed.overflow ? .max : needed.partialValue),
      .openEnvironment)
  }

  /// What a meta page says.
  private struct Meta {
    let transaction: UInt64
    let freeRoot: UInt64
    let lastPage: UInt64

    /// Nil if the file ends before.
    init?(_ file: Int32, at offset: Int) {
      guard let bytes = FileExtent.bytes(file, from: offset, count: 152) else { return nil }
      let span = bytes.span
      freeRoot = FileExtent.number(span, at: 80, size: 8)
      lastPage = FileExtent.number(span, at: 136, size: 8)
      transaction = FileExtent.number(span, at: 144, size: 8)
    }
  }

  /// How many of the pages that the list of free pages names are not in the file; nil if the list itself is not.
  private func missingPages(listedUnder page: UInt64, depth: Int) -> UInt64? {
    if page == Self.noRoot { return 0 }
    guard depth < 32, let bytes = self.bytes(ofPage: page, count: pageSize) else { return nil }
    let span = bytes.span
    let flags = UInt16(Self.number(span, at: 10, size: 2))
    let lower = Int(Self.number(span, at: 12, size: 2))
    guard lower >= Self.pageHeader, lower <= pageSize else { return nil }
    var sum: UInt64 = 0
    for entry in 0..<((lower - Self.pageHeader) / 2) {
      let node = Int(Self.number(span, at: Self.pageHeader + 2 * entry, size: 2))
      guard node >= Self.pageHeader, node + 8 <= pageSize else { return nil }
      let low = Self.number(span, at: node, size: 4)
      let nodeFlags = Self.number(span, at: node + 4, size: 2)
      let keySize = Int(Self.number(span, at: node + 6, size: 2))
      let found: UInt64?
      if flags & Self.branchPage != 0 {
        found = missingPages(listedUnder: low | nodeFlags << 32, depth: depth + 1)
      } else if flags & Self.leafPage != 0 {
        found = missing(
          in: span, at: node + 8 + keySize, size: Int(low),
          isBig: UInt16(nodeFlags) & Self.bigNode != 0)
      } else {
        return nil
      }
      guard let found else { return nil }
      sum += found
    }
    return sum
  }

  /// The same for one entry of the list: how many pages it names, then the pages.
  private func missing(
    in page: Span<UInt8>, at start: Int, size: Int, isBig: Bool
  ) -> UInt64? {
    if isBig {
      guard start + 8 <= page.count else { return nil }
      let first = Self.number(page, at: start, size: 8)
      guard let bytes = bytes(ofPage: first, count: Self.pageHeader + size) else { return nil }
      return missing(in: bytes.span, at: Self.pageHeader, size: size, isBig: false)
    }
    guard size >= 8, start + size <= page.count else { return nil }
    let count = Int(clamping: Self.number(page, at: start, size: 8))
    guard count <= size / 8 - 1 else { return nil }
    var missing: UInt64 = 0
    for index in 0..<count where Self.number(page, at: start + 8 + 8 * index, size: 8) >= pages {
      missing += 1
    }
    return missing
  }

  private func bytes(ofPage page: UInt64, count: Int) -> [UInt8]? {
    guard page < pages else { return nil }
    return Self.bytes(file, from: Int(page) * pageSize, count: count)
  }

  /// Bytes of the file; nil if it ends before.
  private static func bytes(_ file: Int32, from offset: Int, count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    let read = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe pread(file, buffer.baseAddress, count, off_t(offset))
    }
    return read == count ? bytes : nil
  }

  /// A number as the machine writes it, the least byte first.
  private static func number(_ bytes: Span<UInt8>, at offset: Int, size: Int) -> UInt64 {
    (0..<size).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
  }
}
