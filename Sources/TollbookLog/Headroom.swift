/// Space left for a log, in bytes: in the map, and on the disk.
package struct Headroom: Sendable, Hashable {
  package let map: Int
  package let disk: Int
  /// What is kept for calls already paid.
  package let reserve: Int
  /// What is free in the file and may still be read by the oldest reader; 0 as long as there is more than the reserve.
  package let pinned: Int
  /// The process of the oldest running reader, and how many commits ago it began.
  package let reader: Int?
  package let readerLag: Int

  init(
    map: Int, disk: Int, reserve: Int, pinned: Int, oldestReader: (process: Int, lag: Int)?
  ) {
    self.map = map
    self.disk = disk
    self.reserve = reserve
    self.pinned = pinned
    reader = oldestReader?.process
    readerLag = oldestReader?.lag ?? 0
  }

  /// Whether what is left is more than the reserve for calls already paid.
  package var admits: Bool { min(map, disk) > reserve }

  /// Why nothing new is bought and what to do about it; nil: there is room.
  package var shortage: String? {
    guard !admits else { return nil }
    let kept = "\(Self.text(reserve)) are kept for calls already paid"
    guard map <= reserve else {
      return "the disk has \(Self.text(disk)) left, and \(kept): free some of it"
    }
    let left = "the map has \(Self.text(map)) left, and \(kept)"
    guard pinned > 0, map + pinned > reserve, let reader else {
      return "\(left): start with a larger TOLLBOOK_MAP_SIZE"
    }
    return "\(left). \(Self.text(pinned)) more are free as soon as process \(reader) has ended"
      + " its reading, which began \(readerLag) commits ago: let it go on or end it"
  }

  private static func text(_ bytes: Int) -> String {
    bytes < 1 << 20 ? "\(max(0, bytes) >> 10) KiB" : "\(bytes >> 20) MiB"
  }
}
