import ArgumentParser
import Credentials

/// `login`: a person signs in.
struct LoginCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "login",
    abstract: "Sign in to a deployment.",
    discussion: """
      Through the browser (OAuth) where the deployment offers it, else with a session token. The \
      deployment decides what the token may do, unless --scope asks for less. Progress is told on \
      standard error. The browser may be on another machine: paste the address of its last page.
      """)

  @Argument(help: "The deployment; a bare host means https.")
  var url: String?

  @Option(help: "How to sign in: auto, oauth or token.")
  var method = LoginOptions.Method.auto

  @Option(help: "Ask for these scopes only, separated by blanks.")
  var scope: String?

  @Option(help: "Wait for the browser on this port of 127.0.0.1 (1024 to 65535).")
  var port: UInt16?

  @Option(help: "How the browser brings its answer: loopback, or a coder-cred:// link (scheme).")
  var redirect = LoginOptions.Redirect.loopback

  @Option(
    name: .customLong("client-id"),
    help: ArgumentHelp(
      "Use the OAuth client an administrator made; its secret is read from the terminal or from "
        + "standard input.", valueName: "id"))
  var clientID: String?

  @Option(help: ArgumentHelp("Sign in as this user and no other.", valueName: "name"))
  var account: String?

  @Flag(
    name: .customLong("accept-issuer"),
    help: "Sign in under the address that the deployment says is its own.")
  var acceptsIssuer = false

  @Flag(name: .customLong("no-browser"), help: "Print the address, and open nothing.")
  var noBrowser = false

  mutating func validate() throws {
    guard port.map({ $0 >= 1024 }) ?? true else {
      throw ValidationError("--port takes a number from 1024 to 65535")
    }
    // RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ).
    let isScope = scope?.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }
    guard isScope ?? true else {
      throw ValidationError("--scope holds a character that no scope has")
    }
  }

  func run() throws {
    let context = CommandContext()
    let deployment = try Lookup(context: context).deployment(named: url)
    let loginOptions = LoginOptions(
      method: method, scope: scope, port: port, redirect: redirect, clientID: clientID,
      account: account, acceptsIssuer: acceptsIssuer, opensBrowser: !noBrowser)
    let session = try LoginFlow(context: context, deployment: deployment, options: loginOptions)
      .run()
    let who = session.account.isEmpty ? "" : " as \(session.account)"
    Terminal.say("Signed in to \(session.deployment.url)\(who).")
    guard session.method == .oauth else { return }
    if session.refreshToken == nil {
      Terminal.say("The deployment gave no refresh token: sign in again when this one expires.")
    }
    if let granted = session.scope { Terminal.say("It granted: \(granted)") }
    if session.account.isEmpty {
      Terminal.say("It does not say who you are; --account NAME gives the session a name.")
    }
  }
}

extension LoginOptions.Method: ExpressibleByArgument {}
extension LoginOptions.Redirect: ExpressibleByArgument {}
