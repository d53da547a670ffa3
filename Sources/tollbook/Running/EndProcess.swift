import Foundation
import TollbookLog

/// Ends the process at once, because nobody knows any more what the disk holds: no further acknowledgement may go out.
@Sendable func endProcess(_ error: LogError) {
  Console.complain(
    "Tollbook ends here, since its event log failed and an answer could promise what is not on"
      + " the disk: \(error). The next start looks at the log and goes on from what it holds.")
  _exit(70)
}
