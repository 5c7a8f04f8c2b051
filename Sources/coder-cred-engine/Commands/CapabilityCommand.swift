import ArgumentParser
import Credentials
import Secrets

/// `capability`: which parts of git's newer protocol are understood.
struct CapabilityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "capability",
    abstract: "Print what is understood of git's credential protocol.")

  func run() throws {
    try Terminal.output(Secret(Credential.capabilities))
  }
}
