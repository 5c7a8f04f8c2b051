import Foundation
import TestDesk
import Testing

/// Who speaks git's credential protocol with us: the git of the system, a newer one, or nobody between.
enum Caller: Sendable, CustomTestStringConvertible {
  /// A git, whose chain of helpers is us.
  case git(path: String, version: [Int])
  /// The helper's own verbs, as a git of the newest version writes and reads them.
  case helper

  /// Those that can be had here: `CODER_CRED_GIT_BUILD` names the tree of `packaging/git-from-source`.
  static let all: [Caller] = [.helper] + gits
  /// The gits that can be had here.
  static let gits = ["/usr/bin/git", built.map { "\($0)/bin-wrappers/git" }].compactMap(\.self)
    .compactMap(git)
  /// The tree of a git that was built from source; nil when there is none.
  static let built = ProcessInfo.processInfo.environment["CODER_CRED_GIT_BUILD"]

  var testDescription: String {
    switch self {
    case .git(_, let version): "git \(version.map(String.init).joined(separator: "."))"
    case .helper: "no git"
    }
  }

  /// Whether it knows what git does since a version, such as `[2, 46]`.
  func knows(_ version: [Int]) -> Bool {
    guard case .git(_, let own) = self else { return true }
    return !own.lexicographicallyPrecedes(version)
  }

  private static func git(_ path: String) -> Caller? {
    guard let told = try? ChildProcess.run(path, ["version"]),
      let words = told.lines.first?.split(separator: " "), words.count > 2
    else { return nil }
    return .git(path: path, version: words[2].split(separator: ".").compactMap { Int($0) })
  }
}

/// What `git credential fill` comes to: what a helper gave, or what git asked the person for.
struct Filled: Equatable, CustomStringConvertible {
  /// The attributes, lists and capabilities left out.
  var attributes: [String: String]

  subscript(_ key: String) -> String? { attributes[key] }

  /// Nothing secret in a test's log.
  var description: String { "\(attributes.keys.sorted())" }
}

/// Credentials kept through one caller, at one desk.
struct Store {
  let desk: Desk
  let caller: Caller
  /// git's settings, as `name=value`.
  var settings: [String] = []
  /// Words between the helper's name and git's verb.
  var flags = ""

  /// Works at a desk where git's prompts are answered with `askpass-username` and `askpass-password`.
  static func with(
    _ caller: Caller, sourceLocation: SourceLocation = #_sourceLocation,
    _ work: (inout Store) throws -> Void
  ) throws {
    try Desk.with(sourceLocation: sourceLocation) { desk in
      let askpass =
        "case \"$1\" in Username*) echo askpass-username;; *) echo askpass-password;; esac"
      desk.environment["GIT_ASKPASS"] = try desk.script(askpass, at: "\(desk.directory)/askpass")
      var store = Store(desk: desk, caller: caller)
      try work(&store)
    }
  }

  /// Approves of a credential: it worked.
  func approve(_ lines: String..., sourceLocation: SourceLocation = #_sourceLocation) throws {
    expectSilence(
      try run("approve", "store", lines, sourceLocation), sourceLocation: sourceLocation)
  }

  /// Rejects a credential.
  func reject(_ lines: String..., sourceLocation: SourceLocation = #_sourceLocation) throws {
    expectSilence(try run("reject", "erase", lines, sourceLocation), sourceLocation: sourceLocation)
  }

  /// Asks for a credential; nothing may be said on standard error.
  func fill(_ lines: String..., sourceLocation: SourceLocation = #_sourceLocation) throws -> Filled
  {
    let result = try run("fill", "get", lines, sourceLocation)
    #expect(result.status == 0, "\(result.stderr)", sourceLocation: sourceLocation)
    #expect(result.errors.isEmpty, "\(result.stderr)", sourceLocation: sourceLocation)
    var answer = attributes(result.lines)
    guard case .helper = caller else { return Filled(attributes: answer) }
    // What git does with it: what it asked for stays, what is missing it asks the person for.
    let asked = attributes(lines)
    answer.merge(asked) { given, _ in given }
    if answer["credential"] == nil {
      answer["username"] = answer["username"] ?? "askpass-username"
      answer["password"] = answer["password"] ?? "askpass-password"
    }
    return Filled(attributes: answer)
  }

  private func attributes(_ lines: [String]) -> [String: String] {
    let pairs = lines.filter { !$0.contains("[]=") }.compactMap { line in
      line.firstIndex(of: "=").map {
        (String(line[..<$0]), String(line[line.index(after: $0)...]))
      }
    }
    return Dictionary(pairs) { $1 }
  }

  private func run(
    _ operation: String, _ verb: String, _ lines: [String], _ sourceLocation: SourceLocation
  ) throws -> CommandResult {
    let input = lines.map { $0 + "\n" }.joined()
    guard case .git(let path, _) = caller else {
      // As git calls it.
      let words = flags.split(separator: " ").map(String.init) + [verb]
      return try desk.run(
        words, input: input, environment: ["GIT_EXEC_PATH": "/usr/lib/git-core"],
        sourceLocation: sourceLocation)
    }
    let settings = ["credential.helper=\(desk.program)\(flags)"] + self.settings
    return try desk.run(
      path, settings.flatMap { ["-c", $0] } + ["credential", operation], input: input,
      sourceLocation: sourceLocation)
  }
}
