import Credentials
import Glibc

/// Whatever the fast path does not do: the full program knows why, and what to say.
struct NeedsEngine: Error {}

/// A command line of the plainest kind.
struct FastPathArguments {
  /// What is asked.
  enum Operation {
    case answer(Credential.Format)
    case store
    case erase
    case capability
  }

  let operation: Operation
  let url: String?
  private(set) var account: String?
  private(set) var minimumSeconds: Int64?
  /// Whether an answer is for a request on standard input.
  let readsRequest: Bool

  init(_ arguments: [String]) throws(NeedsEngine) {
    // Under other names we speak other protocols.
    let name = arguments.first?.utf8.split(separator: UInt8(ascii: "/")).last.map(String.init)
    guard name == "coder-cred" || name == "git-credential-coder-cred" else { throw NeedsEngine() }
    var flags: [String: String] = [:]
    var operands: [String] = []
    var endsWithOperand = false
    var words = arguments.dropFirst()[...]
    while let word = words.popFirst() {
      endsWithOperand = word.utf8.first != UInt8(ascii: "-")
      if endsWithOperand {
        operands.append(word)
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
    // The second one is what git appends.
    let isVerbTwice = CredentialRequest.isVerbTwice(operands)
    if isVerbTwice { operands.removeLast() }
    guard let verb = operands.first, operands.count <= 2, operands.last?.isEmpty == false,
      let operation = Self.operation(verb, format: flags["--format"]),
      endsWithOperand || !isVerbTwice, verb != "capability" || flags.isEmpty,
      flags["--url"] == nil || operands.count == 1 && verb != "get"
    else { throw NeedsEngine() }
    self.operation = operation
    url = operands.count == 2 ? operands[1] : flags["--url"]
    readsRequest = verb == "get" && url == nil
    if url != nil { guard case .answer = operation else { throw NeedsEngine() } }
    for (flag, value) in flags {
      switch flag {
      case "--account": account = value
      case "--min-ttl":
        guard let seconds = StoredSession.margin(value) else { throw NeedsEngine() }
        minimumSeconds = seconds
      case "--format", "--no-refresh", "--url": break
      default: throw NeedsEngine()
      }
    }
  }

  private static func operation(_ verb: String, format: String?) -> Operation? {
    switch (verb, format) {
    case ("get", let name): Credential.Format(name: name ?? "git").map { .answer($0) }
    case ("token", let name): Credential.Format(name: name ?? "token").map { .answer($0) }
    case ("header", let name):
      Credential.HeaderNotation(name: name ?? "coder").map { .answer(.header($0)) }
    case ("store", nil): .store
    case ("erase", nil): .erase
    case ("capability", nil): .capability
    default: nil
    }
  }
}
