import Glibc

/// What a person is told and shown to sign in with a browser, wherever that browser is.
struct BrowserPrompt {
  let environment: Environment
  let url: String
  /// The address that a browser is started with in place of it (`AuthorizationPage`).
  let startPage: (String) -> String
  /// Where the browser comes back to.
  let redirectURI: String
  /// The port of 127.0.0.1 that is listened on.
  let port: UInt16
  /// How long the response is waited for, in seconds.
  let timeoutSeconds: Int

  /// Opens the browser when it would open on the person's own display, and says how to get along with
  /// one that is elsewhere.
  ///
  /// - Returns: whether the browser does the rest, and nothing is expected at the terminal.
  func show(opensBrowser: Bool) -> Bool {
    let browser = Browser(environment: environment)
    let isOpened = opensBrowser && browser.isHere && browser.open(startPage(url))
    Terminal.say(
      isOpened
        ? "Your browser asks whether to allow it. If none opened, open this address:"
        : "Open this address in a browser, on this machine or any other:")
    Terminal.sayAddress(url, environment)
    if isOpened && browser.opensOnLocalDisplay { return true }
    if redirectURI.hasPrefix("http:") {
      sayHowToComeBack()
      if isatty(STDIN_FILENO) != 0 { Terminal.say("qr shows a QR code for a phone, q gives up.") }
    } else {
      Terminal.say("Its last page opens a coder-cred:// link, which brings the answer here.")
      Terminal.say(
        isatty(STDIN_FILENO) != 0
          ? "If it does not, copy that link and paste it here."
          : "If it does not, copy that link: coder-cred callback 'LINK'")
    }
    let time = timeoutSeconds < 120 ? "\(timeoutSeconds) s" : "\(timeoutSeconds / 60) minutes"
    Terminal.say("Waiting \(time) for the answer …")
    return false
  }

  private func sayHowToComeBack() {
    Terminal.say("In another machine's browser the last page will not load. That is expected:")
    if isatty(STDIN_FILENO) != 0 {
      Terminal.say("copy its address (\(redirectURI)?…) and paste it here.")
    } else {
      Terminal.say("copy its address (\(redirectURI)?…) and hand it over on this machine:")
      Terminal.say("")
      Terminal.say("  coder-cred callback 'ADDRESS'")
      Terminal.say("")
    }
    guard let tunnel else { return }
    Terminal.say("Or first run this on that machine, and the page will load:")
    Terminal.say("")
    Terminal.say("  \(tunnel)")
    Terminal.say("")
  }

  /// Who is logged in here.
  private var userName: String? {
    if let name = environment["USER"] { return name }
    return getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) }
  }

  /// The command that leads the browser's machine to our port; nil when nobody came in from one.
  private var tunnel: String? {
    // A workspace has no address of its own; the Coder CLI knows the way.
    if environment["CODER"] == "true", let workspace = environment["CODER_WORKSPACE_NAME"] {
      return "coder port-forward \(workspace) --tcp \(port)"
    }
    guard let connection = environment["SSH_CONNECTION"] else { return nil }
    // ssh(1): "SSH_CONNECTION … client IP address, client port number, server IP address, and
    // server port number."
    let words = connection.utf8.split(separator: UInt8(ascii: " ")).compactMap(String.init)
    guard words.count == 4 else { return nil }
    let user = userName.map { "\($0)@" } ?? ""
    let sshPort = words[3] == "22" ? "" : "-p \(words[3]) "
    return "ssh -N -L \(port):127.0.0.1:\(port) \(sshPort)\(user)\(words[2])"
  }
}
