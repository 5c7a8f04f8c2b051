import Credentials
import Glibc

/// Anything the door does not answer: the engine knows why, and what to say.
struct NeedsEngine: Error {}

/// A command line that asks for a credential in the plainest way.
struct FastPathArguments {
  /// Whether the deployment and the caller's abilities stand on standard input.
  var readsRequest: Bool { verb == "get" && url == nil }
  private(set) var url: String?
  private(set) var account: String?
  private(set) var minimumSeconds: Int64?
  private(set) var format = Credential.Format.git(authtype: true)

  private var verb: String?

  init(_ arguments: [String]) throws(NeedsEngine) {
    // Under other names we speak other protocols.
    let name = arguments.first?.utf8.split(separator: UInt8(ascii: "/")).last.map(String.init)
    guard name == "coder-cred" || name == "git-credential-coder-cred" else { throw NeedsEngine() }
    var flags: [String: String] = [:]
    var words = arguments.dropFirst()[...]
    while let word = words.popFirst() {
      if word.utf8.first != UInt8(ascii: "-") {
        try take(word)
        continue
      }
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let flag = String(parts[0])
      // Whatever could be read in two ways is not read here: twice, empty, or like a flag.
      guard flags[flag] == nil else { throw NeedsEngine() }
      if word == "--no-refresh" {
        flags[flag] = ""
        continue
      }
      guard flag != "--no-refresh",
        let value = parts.count == 2 ? String(parts[1]) : words.popFirst(),
        !value.isEmpty, value.utf8.first != UInt8(ascii: "-")
      else { throw NeedsEngine() }
      flags[flag] = value
    }
    try take(flags)
  }

  private mutating func take(_ operand: String) throws(NeedsEngine) {
    if verb == nil {
      verb = operand
    } else if url == nil, !operand.isEmpty {
      url = operand
    } else {
      throw NeedsEngine()
    }
  }

  private mutating func take(_ flags: [String: String]) throws(NeedsEngine) {
    guard let verb, let format = Self.format(flags["--format"], of: verb) else {
      throw NeedsEngine()
    }
    self.format = format
    for (flag, value) in flags {
      switch flag {
      case "--account": account = value
      case "--min-ttl":
        guard let seconds = StoredSession.margin(value) else { throw NeedsEngine() }
        minimumSeconds = seconds
      case "--format", "--no-refresh": break
      default: throw NeedsEngine()
      }
    }
  }

  private static func format(_ name: String?, of verb: String) -> Credential.Format? {
    switch (verb, name) {
    case ("get", nil), ("get", "git"), ("token", "git"): .git(authtype: true)
    case ("token", nil), ("get", "token"), ("token", "token"): .token
    case ("get", "json"), ("token", "json"): .json
    case ("header", let name):
      Credential.HeaderNotation(rawValue: name ?? "coder").map(Credential.Format.header)
    default: nil
    }
  }
}
