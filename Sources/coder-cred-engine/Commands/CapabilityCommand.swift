import ArgumentParser

/// `capability`: which parts of git's newer protocol are understood.
struct CapabilityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "capability",
    abstract: "Print what is understood of git's credential protocol.")

  func run() {
    Terminal.show("version 0\ncapability authtype\ncapability state\n")
  }
}
