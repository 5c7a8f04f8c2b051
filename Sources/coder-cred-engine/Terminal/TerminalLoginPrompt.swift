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

  var canAsk: Bool { Terminal.isInteractive }

  func tell(_ event: LoginEvent) {
    switch event {
    case .started(let deployment): Terminal.say("Signing in to \(deployment.url) …")
    case .waitingForAnotherLogin(let deployment):
      Terminal.say(
        "Another sign-in to \(deployment.url) is under way; waiting for it …")
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
    case .formerNotRevoked(let error):
      Terminal.warn(
        "the former sign-in is not revoked: "
          + (error?.description ?? "the deployment revokes none"))
    }
  }

  func prefersToken() throws(LoginError) -> Bool {
    try ask("Sign in through the [B]rowser (recommended), or with a session [T]oken? ")
      .hasPrefix("t")
  }

  func askForToken(of deployment: Deployment) throws(LoginError) -> Secret? {
    let page = address.page("\(deployment.url)/cli-auth")
    if isatty(STDIN_FILENO) != 0 {
      let browser = Browser(environment: environment)
      if opensBrowser && browser.isHere && browser.open(page) {
        Terminal.say("Your browser shows a session token. If none opened, open this address:")
      } else {
        Terminal.say("Open this address in a browser; it shows a session token:")
      }
      Terminal.say("")
      Terminal.say("  \(page)")
      Terminal.say("")
    }
    let line = try askForSecret("Paste the token here (it stays hidden): ")
    let token = line.withoutBlanks
    guard token.isEmpty || token.isWord else { throw .malformedToken }
    return token.isEmpty ? nil : token
  }

  func askForClientSecret(isKnown: Bool) throws(LoginError) -> Secret {
    try askForSecret(
      "Client secret (empty \(isKnown ? "to keep the one known" : "if it has none")): ")
  }

  func keeps(account: String, beside former: [String], isInterrupted: () -> Bool) -> Bool {
    // What was typed before the question is no answer to it.
    tcflush(STDIN_FILENO, TCIFLUSH)
    Terminal.prompt(
      "Signed in as \(account); before it was \(former.joined(separator: ", ")). "
        + "Keep this sign-in? [y/N] ")
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
    let prompt = BrowserPrompt(
      environment: environment, url: address.page(page.url), startPage: page.startPage,
      redirectURI: page.redirectURI,
      port: page.port, timeoutSeconds: page.timeoutSeconds)
    var sources: [any LoginEventSource] = [PastedResponse(from: STDIN_FILENO)]
    if prompt.show(opensBrowser: opensBrowser),
      let spinner = Spinner("Waiting for your browser", environment)
    {
      sources.append(spinner)
    }
    return sources
  }

  func stopWaiting(_ sources: [any LoginEventSource]) {
    for case let spinner as Spinner in sources { spinner.clear() }
  }

  private func ask(_ question: String) throws(LoginError) -> String {
    do throws(Failure) { return try Terminal.ask(question) } catch {
      throw .unusableInput(reason: error.message)
    }
  }

  private func askForSecret(_ question: String) throws(LoginError) -> Secret {
    do throws(Failure) { return try Terminal.readSecret(question) } catch {
      throw .unusableInput(reason: error.message)
    }
  }
}
