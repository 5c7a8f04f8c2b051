import ArgumentParser
import Glibc
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
    try deliver(uri == "-" ? Self.lines() : uri)
  }

  /// Standard input up to its end or an empty line; one line where it is a terminal.
  private static func lines() throws(Failure) -> String {
    var text = ""
    while text.utf8.count <= CallbackSocket.limit {
      let line = try Terminal.line(limit: CallbackSocket.limit)
      text += line
      if line.isEmpty || isatty(STDIN_FILENO) != 0 { break }
    }
    return text
  }

  private func deliver(_ given: String) throws {
    // Blanks and line breaks come along when an address is copied.
    let uri = String(decoding: given.utf8.filter { $0 > 0x20 }, as: UTF8.self)
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
