import ArgumentParser
import Login
import OAuth

/// `callback`: what the desktop runs for a `coder-cred://` link.
struct CallbackCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "callback",
    abstract: "Hand the browser's answer to the login that waits for it.",
    discussion: """
      The desktop runs this for coder-cred:// links. It also takes the address of the last page, \
      copied from a browser that could not load it.
      """)

  @Argument(help: "The address the browser was sent to; - reads it from standard input.")
  var uri: String

  func run() throws {
    try deliver(uri == "-" ? Terminal.line(limit: CallbackSocket.limit) : uri)
  }

  private func deliver(_ uri: String) throws {
    let query = uri.utf8.drop { $0 != UInt8(ascii: "?") }.dropFirst()
      .prefix { $0 != UInt8(ascii: "#") }
    guard uri.utf8.count <= CallbackSocket.limit, let text = String(query),
      let digest = State.digest(inQuery: text)
    else {
      throw Failure(
        .fixTheInput, "this is not the answer to a sign-in",
        hint: "give the whole address of the last page, in quotes")
    }
    guard try CallbackSocket.deliver(text, toStateDigest: digest) else {
      throw Failure(
        .signInAgain, "no sign-in is waiting for this answer", hint: "coder-cred login")
    }
    Terminal.say("Handed to the login that waits for it.")
  }
}
