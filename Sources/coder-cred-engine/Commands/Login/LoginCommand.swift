import ArgumentParser
import Credentials
import Glibc
import Login
import OAuth
import Sessions

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

  @Argument(help: "The deployment; a bare host means https.", completion: .deployments)
  var url: String?

  @Option(help: "How to sign in: auto, oauth (browser), device (a code) or token.")
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

  @Option(
    help: ArgumentHelp("Sign in as this user and no other.", valueName: "name"),
    completion: .accounts)
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
    let target = try LoginTarget(url, context)
    let deployment = target.deployment
    do {
      try login(to: deployment, context)
    } catch let error as LoginError {
      let failure = target.failure(for: error)
      switch error {
      case .oauth(let mismatch):
        guard case .issuerMismatch(_, let issuer) = mismatch, !mismatch.isIssuerWithoutTLS else {
          throw failure
        }
        try loginElsewhere(own(issuer, of: deployment, context, or: failure), context)
      case .notDeployment(_, let parent?):
        guard Terminal.isInteractive else { throw failure }
        guard try Terminal.agrees("\(deployment.url) is a page of \(parent.url). Sign in there?")
        else {
          throw Failure(.fixTheInput, context.farewell(at: parent).text)
        }
        try loginElsewhere(parent, context)
      default: throw failure
      }
    }
  }

  private func loginElsewhere(_ deployment: Deployment, _ context: CommandContext) throws {
    do { try login(to: deployment, context) } catch let error as LoginError {
      throw Failure(error, at: deployment)
    }
  }

  private func login(to deployment: Deployment, _ context: CommandContext) throws {
    let options = try options(context, deployment)
    let session = try context.keepingActiveAccount(of: deployment) {
      try context.login(to: deployment, options, opensBrowser: !noBrowser)
    }
    report(session)
    context.makeActive(session)
    if context.store.isReadableOnDisk {
      Terminal.warn(
        "your keyring has no password: what it keeps can be read in the files of your home directory"
      )
    }
  }

  private func options(
    _ context: CommandContext, _ deployment: Deployment
  ) throws(Failure) -> LoginOptions {
    var options = try context.loginOptions(for: deployment)
    options.method = method
    options.scope = scope ?? options.scope
    options.port = port ?? options.port
    options.redirect = redirect
    options.clientID = clientID
    options.account = account
    return options
  }

  /// The address that a deployment says is its own, if the person wants to sign in there: tokens and
  /// registrations belong to that.
  private func own(
    _ issuer: String, of deployment: Deployment, _ context: CommandContext, or failure: Failure
  ) throws(Failure) -> Deployment {
    guard let own = try? Deployment(url: issuer), own != deployment else { throw failure }
    if acceptsIssuer {
      try context.requireConfidential(own)
      Terminal.say("\(deployment.url) says that it is \(own.url); signing in there.")
      return own
    }
    guard Terminal.isInteractive else { throw failure }
    let isWanted = try Terminal.choose(
      "\(deployment.url) says that it is \(own.url). Sign in there? [y/N] ",
      [
        Terminal.Choice(value: false, words: ["no"]), Terminal.Choice(value: true, words: ["yes"]),
      ])
    guard isWanted == true else { throw failure }
    try context.requireConfidential(own)
    return own
  }

  private func report(_ session: StoredSession) {
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

extension CommandContext {
  /// What the settings say about signing in to a deployment.
  func loginOptions(for deployment: Deployment) throws(Failure) -> LoginOptions {
    let settings = try settings()
    var options = LoginOptions()
    options.scope = settings.text("scopes", for: deployment)
    options.resource = settings.text("resource", for: deployment)
    options.port = try settings.number("redirect-port", for: deployment, in: SettingKey.ports)
      .map { UInt16($0) }
    options.configuredClientID = settings.text("client-id", for: deployment)
    options.browserTimeoutSeconds =
      try settings.number(
        "sign-in-timeout", for: deployment, in: SettingKey.signInSeconds
      ).map { Int($0) } ?? options.browserTimeoutSeconds
    return options
  }

  /// Signs in at the terminal.
  func login(
    to deployment: Deployment, _ options: LoginOptions, opensBrowser: Bool
  ) throws -> StoredSession {
    let prompt = TerminalLoginPrompt(
      environment: environment, address: try BrowserAddress(deployment, settings()),
      opensBrowser: opensBrowser, farewell: { self.farewell(at: $0) })
    defer { QuietTyping.sayAtEnd(nil) }
    do {
      return try LoginFlow(
        services: services(showsWaiting: true), prompt: prompt, deployment: deployment,
        options: options,
        directory: directory, clientName: Self.clientName
      ).run()
    } catch LoginError.givenUp {
      throw Failure(
        .signInAgain, farewell(at: deployment).text, hint: "coder-cred login \(deployment.url)")
    }
  }

  /// What people read when the deployment asks for consent. One registration a machine, because a
  /// deployment keeps one pair of tokens for a user and a client.
  private static var clientName: String {
    var name = [CChar](repeating: 0, count: 65)
    guard gethostname(&name, 64) == 0 else { return "coder-cred" }
    let host = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return "coder-cred on \(String(decoding: host, as: UTF8.self).prefix(40))"
  }
}
