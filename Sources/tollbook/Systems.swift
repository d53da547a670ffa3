import Keepa
import TollbookHTTP

/// The systems that this Tollbook has.
enum Systems {
  static let all: [HTTPSystem] = [.keepa]
}
