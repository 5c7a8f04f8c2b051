import Glibc

/// What a person is told and shown to sign in with a browser, wherever that browser is.
struct Invitation {
  let environment: Environment
  let url: String
  /// Where the browser comes back to.
  let redirectURI: String
  /// The port of 127.0.0.1 that is listened on.
  let port: UInt16

  /// Opens the browser when it would open before the person's eyes; else says how to get along
  /// without.
  func extend(opensBrowser: Bool) {
    let browser = Browser(environment: environment)
    if opensBrowser && browser.isHere && browser.open(url) {
      Terminal.say("Your browser asks whether to allow it. If none opened, open this address:")
      Terminal.say("")
      Terminal.say("  \(url)")
      Terminal.say("")
      return
    }
    Terminal.say("Open this address in a browser, on this machine or any other:")
    Terminal.say("")
    Terminal.say("  \(url)")
    Terminal.say("")
    Terminal.say("In another machine's browser the last page will not load. That is expected:")
    Terminal.say("copy its address (\(redirectURI)?…) and paste it here.")
    if let tunnel, redirectURI.hasPrefix("http") {
      Terminal.say("Or run this over there first, and the page will load:")
      Terminal.say("")
      Terminal.say("  \(tunnel)")
      Terminal.say("")
    }
    Terminal.say("Waiting \(SignIn.patience / 60) minutes for the browser or your paste …")
  }

  /// The command that leads the browser's machine to our port; nil when nobody came in over SSH.
  private var tunnel: String? {
    guard let connection = environment["SSH_CONNECTION"] else { return nil }
    // ssh(1): "SSH_CONNECTION … client IP address, client port number, server IP address, and
    // server port number."
    let words = connection.utf8.split(separator: UInt8(ascii: " ")).compactMap(String.init)
    guard words.count == 4 else { return nil }
    let user = environment["USER"].map { "\($0)@" } ?? ""
    let sshPort = words[3] == "22" ? "" : "-p \(words[3]) "
    return "ssh -N -L \(port):127.0.0.1:\(port) \(sshPort)\(user)\(words[2])"
  }
}
