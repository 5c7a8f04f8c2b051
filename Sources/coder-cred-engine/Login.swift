import ArgumentParser
import Credentials

/// `login`: a person signs in.
struct Login: ParsableCommand {
  /// The ways to sign in.
  enum Method: String, CaseIterable, ExpressibleByArgument {
    case oauth
  }

  static let configuration = CommandConfiguration(
    abstract: "Sign in to a deployment through the browser.",
    discussion: """
      The deployment decides what the token may do, unless --scope asks for less. Progress is told \
      on standard error.
      """)

  @Argument(help: "The deployment; a bare host means https.")
  var url: String?

  @Option(help: "How to sign in: oauth.")
  var method = Method.oauth

  @Option(help: "Ask for these scopes only, separated by blanks.")
  var scope: String?

  @Option(help: "Wait for the browser on this port of 127.0.0.1 (1024 to 65535).")
  var port: UInt16?

  @Flag(name: .customLong("no-browser"), help: "Print the address, and open nothing.")
  var noBrowser = false

  mutating func validate() throws {
    guard port.map({ $0 >= 1024 }) ?? true else {
      throw ValidationError("--port takes a number from 1024 to 65535")
    }
    // RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ).
    guard
      scope?.utf8.allSatisfy({ (0x20...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }) ?? true
    else { throw ValidationError("--scope holds a character that no scope has") }
  }

  func run() throws {
    let engine = Engine()
    let deployment = try Lookup(engine: engine).deployment(named: url)
    let configured = try engine.configuration().text("scopes", for: deployment)
    let session = try SignIn(
      engine: engine, deployment: deployment, scope: scope ?? configured, port: port,
      opensBrowser: !noBrowser
    ).run()
    let who = session.account.isEmpty ? "" : " as \(session.account)"
    Terminal.say("Signed in to \(deployment.url)\(who). Tokens are refreshed when asked for.")
  }
}
