import Glibc

/// The process environment, read once; a test can hand in another.
struct Environment: Sendable {
  let variables: [String: String]

  init(_ variables: [String: String]) {
    self.variables = variables
  }

  /// What this process was started with.
  static var ofThisProcess: Environment {
    var count = 0
    while environ[count] != nil { count += 1 }
    var variables = [String: String](minimumCapacity: count)
    // Of two variables with one name the first counts, as for getenv(3) in the fast path.
    for entry in UnsafeBufferPointer(start: environ, count: count).reversed() {
      guard let entry, let equals = strchr(entry, Int32(UInt8(ascii: "="))) else { continue }
      let name = UnsafeRawBufferPointer(start: entry, count: equals - entry)
      variables[String(decoding: name, as: UTF8.self)] = String(cString: equals + 1)
    }
    return Environment(variables)
  }

  /// The effective user of this process.
  static var userID: uid_t { geteuid() }

  /// A variable's value; nil when it is unset or empty.
  subscript(_ name: String) -> String? {
    variables[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// A directory named by a variable: absolute, or it does not count
  /// (XDG Base Directory Specification: "All paths … must be absolute").
  func directory(_ name: String) -> String? {
    self[name].flatMap { $0.hasPrefix("/") ? $0 : nil }
  }

  /// `$XDG_CONFIG_HOME` and its like, or its default below the home directory.
  func directory(_ name: String, below home: String) -> String? {
    directory(name) ?? directory("HOME").map { "\($0)/\(home)" }
  }

  /// Whether git called us: its helpers run in a chain, for every server a person talks to, and
  /// what is not for us must pass without a word.
  var isGitsChain: Bool { self["GIT_EXEC_PATH"] != nil }
}
