import ArgumentParser
import Credentials

/// The command line, put into the order of verb, flags, and operands.
struct CommandLineArguments {
  /// What the parser is to read.
  let words: [String]
  /// The verb, or nil when there is none.
  let verb: String?

  /// Flags may come before the verb, because git appends it: `helper = "coder-cred --account=alice"`
  /// runs `coder-cred --account=alice get`.
  ///
  /// What shells ask when a person presses Tab stays as it is: it holds another command line.
  init(_ arguments: [String]) {
    guard arguments.first != "---completion" else {
      (words, verb) = (arguments, nil)
      return
    }
    var index = 0
    while index < arguments.count, arguments[index].hasPrefix("-") {
      index += Self.takesValue.contains(arguments[index]) ? 2 : 1
    }
    guard index < arguments.count else {
      (words, verb) = (arguments, nil)
      return
    }
    let verb = arguments[index]
    self.verb = verb
    var rest = Array(arguments[(index + 1)...])
    let isValue = rest.dropLast().last.map(Self.takesValue.contains) ?? false
    if let last = rest.last, CredentialRequest.isVerbTwice([verb, last]), !isValue {
      rest.removeLast()
    }
    words = [verb] + arguments[..<index] + rest
  }

  /// Whether this is how git would name an operation that only later versions know: one unknown
  /// word, at the end (gitcredentials(7): "any other operation: the helper should silently ignore
  /// the request").
  var isUnknownOperation: Bool {
    guard let verb, words.last == verb || words.dropFirst().allSatisfy({ $0.hasPrefix("-") }) else {
      return false
    }
    return !Self.verbs.contains(verb)
  }

  /// An option that is given as `--name=` with nothing after it, which the parser would take the next
  /// word for.
  var optionWithoutValue: String? {
    for word in words.prefix(while: { $0 != "--" }) where word.hasPrefix("--") {
      let name = word.prefix { $0 != "=" }
      if name.count == word.count - 1, word.hasSuffix("=") { return String(name) }
    }
    return nil
  }

  /// The verb, if there is such a one.
  var knownVerb: String? { verb.flatMap { Self.verbs.contains($0) && $0 != "help" ? $0 : nil } }

  private static let takesValue: Set<String> = ["--account", "--min-ttl", "--format", "--url"]

  private static let verbs: Set<String> = Set(
    CoderCred.configuration.subcommands.map { $0._commandName } + ["help"])
}
