/// Space left for a log, in bytes: in its data file, as far as the map and the limit for files go, and on the disk.
package struct Headroom: Sendable, Hashable {
  package let map: Int
  /// What the disk has free, and what of it is the data file's own already.
  package let disk: Int
  /// What is kept for calls already paid.
  package let reserve: Int
  /// What is free in the file and may still be read by the oldest reader; 0 as long as there is more than the reserve.
  package let pinned: Int
  /// The process of the oldest running reader, and how many commits ago it began.
  package let reader: Int?
  package let readerLag: Int
  /// How long the process may make its files, where that is less than the map.
  package let fileLimit: Int?
  /// Whether the data file holds the reserve, or could not even ask for it.
  package let isReserved: Bool

  init(
    map: Int, disk: Int, reserve: Int, pinned: Int, oldestReader: (process: Int, lag: Int)?,
    fileLimit: Int? = nil, isReserved: Bool = true
  ) {
    self.map = map
    self.disk = disk
    self.reserve = reserve
    self.pinned = pinned
    reader = oldestReader?.process
    readerLag = oldestReader?.lag ?? 0
    self.fileLimit = fileLimit
    self.isReserved = isReserved
  }

  /// Whether what is left is more than the reserve for calls already paid, and the reserve is sure.
  package var admits: Bool { min(map, disk) > reserve && isReserved }

  /// Why nothing new is bought and what to do about it; nil: there is room.
  package var shortage: String? {
    guard !admits else { return nil }
    let kept = "\(Self.text(reserve)) are kept for calls already paid"
    guard map <= reserve else {
      guard disk <= reserve else {
        return "the disk has \(Self.text(disk)) left and does not give the data file any of it, and"
          + " \(kept): raise the quota"
      }
      return "the disk has \(Self.text(disk)) left, and \(kept): free some of it"
    }
    let place = fileLimit == nil ? "the map" : "the data file"
    let left = "\(place) has \(Self.text(map)) left, and \(kept)"
    guard pinned > 0, map + pinned > reserve, let reader else {
      guard let fileLimit else { return "\(left): start with a larger TOLLBOOK_MAP_SIZE" }
      return "\(left): start where files may become longer than \(Self.text(fileLimit))"
        + " (ulimit -f)"
    }
    return "\(left). \(Self.text(pinned)) more are free as soon as process \(reader) has ended"
      + " its reading, which began \(readerLag) commits ago: let it go on or end it"
  }

  private static func text(_ bytes: Int) -> String {
    bytes < 1 << 20 ? "\(max(0, bytes) >> 10) KiB" : "\(bytes >> 20) MiB"
  }
}
