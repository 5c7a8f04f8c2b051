import ArgumentParser
import Credentials
import Glibc
import Sessions

/// `list`: what is stored, for whom, until when; never a secret.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List what is stored, for whom and until when.",
    discussion: """
      Never shows a secret, and never asks to unlock a keyring. On a terminal times are local, the \
      default is marked, and what needs you is said; elsewhere it prints a plain table.
      """)

  @Flag(help: "Print a JSON array.")
  var json = false

  func run() throws {
    let context = CommandContext()
    let entries = try context.sortedEntries(of: nil)
    let now = context.clock.now
    if json {
      try Terminal.showJSON(entries.map { SessionRow($0, now: now) })
    } else if let style = TerminalStyle(of: STDOUT_FILENO, context.environment) {
      try Terminal.show(
        SessionTable(entries, ActiveAccounts(entries, context), now: now, style).text)
      if !entries.contains(where: \.mayHoldToken) {
        Terminal.say("Nobody is signed in. To sign in: coder-cred login URL")
      }
    } else {
      try Terminal.show(SessionRow.table(entries.map { SessionRow($0, now: now) }))
    }
    if let lock = entries.compactMap(\.lock).first, json || isatty(STDOUT_FILENO) == 0 {
      let failure = Failure(lock)
      Terminal.warn(failure.message + (failure.hint.map { ": \($0)" } ?? ""))
    }
  }
}

extension [SessionEntry] {
  /// The entries, those that a locked keyring does not tell apart being one.
  var withOneHidden: [SessionEntry] {
    let first = firstIndex(where: \.isHidden)
    return enumerated().filter { $0.offset == first || !$0.element.isHidden }.map(\.element)
  }
}

extension CommandContext {
  /// What is stored for a deployment, or with nil for all; where nothing is, for the nearest parent
  /// path that something is stored for: what a person names is often a page's or a repository's address.
  func sortedEntries(near deployment: Deployment?) throws(StoreError) -> [SessionEntry] {
    for place in deployment?.withParents ?? [] {
      let entries = try sortedEntries(of: place)
      if !entries.isEmpty { return entries }
    }
    return try deployment == nil ? sortedEntries(of: nil) : []
  }

  /// What is stored, in the order of deployments and accounts.
  func sortedEntries(of deployment: Deployment?) throws(StoreError) -> [SessionEntry] {
    let line = ProgressLine("Reading the keyring", environment)
    defer { line?.end() }
    return try store.entries(of: deployment).sorted {
      ($0.deployment, $0.account) < ($1.deployment, $1.account)
    }
  }
}
