import ArgumentParser
import Credentials

/// The command line, put into the order of verb, flags, and operands.
struct CommandLineArguments {
  /// What the parser is to read.
  let words: [String]
  /// The verb, or nil when there is none.
  let verb: String?
  /// Whether the verb is the last word, where git puts it.
  private let isVerbLast: Bool

  /// Flags may come before the verb, because git appends it: `helper = "coder-cred --account=alice"`
  /// runs `coder-cred --account=alice get`.
  ///
  /// What shells ask when a person presses Tab stays as it is: it holds another command line.
  init(_ arguments: [String]) {
    guard arguments.first != "---completion" else {
      (words, verb, isVerbLast) = (arguments, nil, false)
      return
    }
    var index = 0
    while index < arguments.count, arguments[index].hasPrefix("-") {
      index += Self.takesValue.contains(arguments[index]) ? 2 : 1
    }
    guard index < arguments.count else {
      (words, verb, isVerbLast) = (arguments, nil, false)
      return
    }
    isVerbLast = index == arguments.count - 1
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
    isVerbLast && unknownVerb != nil
  }

  /// The word in the verb's place, if there is no such verb.
  var unknownVerb: String? { verb.flatMap { Self.verbs.contains($0) ? nil : $0 } }

  /// The verb that somebody meant who typed another word in its place; nil when none is like it.
  var nearestVerb: String? {
    unknownVerb.flatMap { typed in
      NearestWord.to(typed, among: Self.shownVerbs) { _ in typed.utf8.count < 3 ? 1 : 2 }
    }
  }

  /// Whether `exec` was given a command without the `--` that begins it.
  var isTerminatorMissing: Bool {
    guard verb == "exec", !words.contains("--") else { return false }
    var rest = words.dropFirst()
    while let word = rest.popFirst() {
      guard word.hasPrefix("-") else { return true }
      if Self.takesValue.contains(word) { _ = rest.popFirst() }
    }
    return false
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

  /// The verbs that the help shows.
  private static let shownVerbs = CoderCred.configuration.subcommands
    .filter { $0.configuration.shouldDisplay }.map { $0._commandName }
}
