import Credentials
import Glibc
import Login
import OAuth
import Secrets

/// The person at this terminal, with their browser.
struct TerminalLoginPrompt: LoginPrompt {
  let environment: Environment
  let address: BrowserAddress
  /// Whether a browser may be opened at all.
  let opensBrowser: Bool
  /// What is told when the sign-in is ended at a place.
  let farewell: (Deployment) -> LoginFarewell

  var canAsk: Bool { Terminal.isInteractive }

  var hasBrowser: Bool { opensBrowser && Browser(environment: environment).isHere }

  func tell(_ event: LoginEvent) {
    switch event {
    case .started(let deployment):
      QuietTyping.sayAtEnd("coder-cred: \(farewell(deployment).text)")
      Terminal.say("Signing in to \(deployment.url) …")
    case .alreadySignedIn(let accounts, let deployment):
      Terminal.say(
        "\(accounts.joined(separator: ", ")) \(accounts.count == 1 ? "is" : "are") "
          + "signed in to \(deployment.url) already.")
    case .waitingForAnotherLogin(let deployment, let holder):
      let details = [
        holder.map { "process \($0.process)" },
        holder?.runningSeconds.map { "for \(Self.duration(seconds: $0))" },
      ].compactMap(\.self)
      let other =
        "Another sign-in to \(deployment.url) is under way"
        + (details.isEmpty ? "" : " (\(details.joined(separator: ", ")))")
      guard canAsk, holder != nil else { return Terminal.say("\(other); waiting for it …") }
      Terminal.say("\(other).")
      Terminal.say("Press Enter to end it and go on here, or wait for it; q gives up.")
    case .takingOver: Terminal.say("Ending the other sign-in …")
    case .browserInstead(let refusal):
      Terminal.say("Signing in with a code is not possible: \(refusal.description).")
    case .redirectNeeded(let uri):
      if canAsk { Terminal.say("The client must have this redirect URI: \(uri)") }
    case .tokenRefused(let error, let deployment):
      let failure = Failure(error, at: deployment)
      Terminal.say("Not taken: \(failure.message). Try again; Enter alone ends.")
    case .tokenInstead(let error, let deployment):
      let failure = Failure(error, at: deployment)
      Terminal.say(failure.message)
      if case .oauth(.registrationDisabled) = error, let hint = failure.hint { Terminal.say(hint) }
      Terminal.say("A session token will do instead.")
    case .registeringAgain(let deployment):
      Terminal.say(
        "\(deployment.url) no longer accepts this machine's client; making a new one …")
    case .unknownCode:
      Terminal.say("The deployment does not know that code; paste the whole address instead.")
    case .mustSignInAgain(let account):
      Terminal.say("\(account) used the former client, and will have to sign in again.")
    case .otherAccount(let account, let former):
      Terminal.warn(
        "signed in as \(account); before it was \(former.joined(separator: ", "))")
    case .interrupted(let deployment):
      Terminal.say("")
      Terminal.say("coder-cred: \(farewell(deployment).text)")
    case .formerNotRevoked(let error):
      Terminal.warn(
        "the former sign-in is not revoked: "
          + (error?.description ?? "the deployment revokes none"))
    }
  }

  func chooseMethod(
    _ methods: [LoginOptions.Method]
  ) throws(LoginError) -> LoginOptions.Method {
    let choices = methods.compactMap { method -> Terminal.Choice<LoginOptions.Method>? in
      switch method {
      case .auto: nil
      case .oauth: Terminal.Choice(value: method, words: ["browser"])
      case .device: Terminal.Choice(value: method, words: ["code"])
      case .token: Terminal.Choice(value: method, words: ["token"])
      }
    }
    let question =
      switch methods.first {
      case .device:
        "Sign in with a [C]ode on any device (recommended), [B]rowser or [T]oken? "
      case _ where methods.contains(.device):
        "Sign in through the [B]rowser (recommended), with a [C]ode or a [T]oken? "
      default: "Sign in through the [B]rowser (recommended), or with a session [T]oken? "
      }
    Terminal.say("Enter alone takes what is recommended; q gives up.")
    return try asking { () throws(Failure) in try Terminal.choose(question, choices) }
  }

  func askForToken(of deployment: Deployment, isRepeated: Bool) throws(LoginError) -> Secret? {
    QuietTyping.sayAtEnd("coder-cred: \(farewell(deployment).text)")
    if isatty(STDIN_FILENO) != 0, !isRepeated { showTokenPage(of: deployment) }
    let line = try askForSecret("Paste the token here (it stays hidden): ")
    let token = line.withoutBlanks.unquoted
    guard token.isEmpty || token.isWord else { throw .malformedToken }
    return token.isEmpty ? nil : token
  }

  private func showTokenPage(of deployment: Deployment) {
    let page = address.page("\(deployment.url)/cli-auth")
    let browser = Browser(environment: environment)
    let isOpened = opensBrowser && browser.isHere && browser.open(page)
    Terminal.say(
      isOpened
        ? "Your browser shows a session token. If none opened, open this address:"
        : "Open this address in a browser; it shows a session token:")
    Terminal.sayAddress(page, environment)
  }

  func askForClientSecret(isKnown: Bool) throws(LoginError) -> Secret {
    try askForSecret(
      "Client secret (empty \(isKnown ? "to keep the one known" : "if it has none")): "
    ).unquoted
  }

  func keeps(account: String, beside former: [String], isInterrupted: () -> Bool) -> Bool {
    // What was typed before the question is no answer to it.
    tcflush(STDIN_FILENO, TCIFLUSH)
    Terminal.prompt(
      "Signed in as \(account); before it was \(former.joined(separator: ", ")). "
        + "Keep this sign-in, too? [y/N] ")
    var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    // Nobody at the terminal is no consent, and the tokens are issued already.
    for _ in 0..<Self.questionTimeoutSeconds * 10 where poll(&input, 1, 100) <= 0 {
      if isInterrupted() { break }
    }
    guard input.revents != 0, let reply = try? ask("") else {
      Terminal.say("")
      return false
    }
    return ["y", "yes"].contains(reply)
  }

  /// How long the question waits; no answer is a no.
  private static let questionTimeoutSeconds = 120

  func show(_ page: AuthorizationPage) throws(LoginError) -> [any LoginEventSource] {
    let url = address.page(page.url)
    let prompt = BrowserPrompt(
      environment: environment, url: url, startPage: page.startPage, redirectURI: page.redirectURI,
      port: page.port, timeoutSeconds: page.timeoutSeconds)
    var sources: [any LoginEventSource] = [
      PastedResponse(from: STDIN_FILENO, showsQR: { QRCode.show(url) })
    ]
    if prompt.show(opensBrowser: opensBrowser),
      let spinner = Spinner("Waiting for your browser", environment)
    {
      sources.append(spinner)
    }
    return sources
  }

  func show(_ page: DevicePage) throws(LoginError) -> [any LoginEventSource] {
    DevicePrompt(
      environment: environment, url: address.page(page.url),
      completeURL: page.completeURL.map(address.page), page: page, opensBrowser: opensBrowser
    ).show()
  }

  func saysWhileWaiting() -> WaitingChoice? {
    var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    guard canAsk, !Terminal.isInBackground(STDIN_FILENO), poll(&input, 1, 0) > 0 else { return nil }
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = read(STDIN_FILENO, &bytes, bytes.count)
    // Ctrl-D, or a terminal that is gone.
    guard count > 0 else { return count < 0 && errno == EINTR ? nil : .giveUp }
    let typed = bytes[..<count].filter { $0 > 0x20 }
    if typed.first.map({ $0 | 0x20 }) == UInt8(ascii: "q") { return .giveUp }
    // An answer to another question ends nobody's sign-in.
    guard typed.isEmpty else {
      Terminal.say("Enter alone ends the other sign-in; q gives up.")
      return nil
    }
    return .takeOver
  }

  func stopWaiting(_ sources: [any LoginEventSource]) {
    for case let spinner as Spinner in sources { spinner.clear() }
  }

  private func ask(_ question: String) throws(LoginError) -> String {
    try asking { () throws(Failure) in try Terminal.ask(question) }
  }

  private func askForSecret(_ question: String) throws(LoginError) -> Secret {
    try asking { () throws(Failure) in try Terminal.readSecret(question) }
  }

  private func asking<Value>(_ body: () throws(Failure) -> Value?) throws(LoginError) -> Value {
    let value: Value?
    do throws(Failure) { value = try body() } catch {
      throw .unusableInput(reason: error.message)
    }
    guard let value else { throw .givenUp }
    return value
  }

  private static func duration(seconds: Int) -> String {
    switch seconds {
    case ..<120: "\(seconds) s"
    case ..<7200: "\(seconds / 60) min"
    default: "\(seconds / 3600) h"
    }
  }
}
