import ArgumentParser
import TollbookArchive

/// Which part of the log a command looks at.
struct RangeFlags: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("First event, instant or day.", valueName: "position or time"))
  var from: Moment?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Last event or instant; of a day, all of it.", valueName: "position or time")
  )
  var to: Moment?
}
