import Credentials
import Sessions

/// What is stored, as a person reads it on a terminal: sessions first, then what is kept for git.
struct SessionTable {
  private let style: TerminalStyle
  private let sessions: [SessionSummary]
  private let passwords: [SessionSummary]
  private let active: ActiveAccounts

  init(_ entries: [SessionEntry], _ active: ActiveAccounts, now: Int64, _ style: TerminalStyle) {
    let all = entries.withOneHidden.map { SessionSummary($0, now: now) }
    sessions = all.filter { !$0.isPassword }
    passwords = all.filter(\.isPassword)
    self.active = active
    self.style = style
  }

  /// The whole text; empty when nothing is stored.
  var text: String {
    var blocks = [sessionLines, passwordLines].filter { !$0.isEmpty }
    let tasks = sessions.compactMap { summary in
      summary.task.map { TerminalStyle.cut("\(name(of: summary)): \($0)", to: 400) }
    }
    if !tasks.isEmpty { blocks.append(["To do:"] + Set(tasks).sorted().map { "  \($0)" }) }
    return blocks.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n")
  }

  private var sessionLines: [String] {
    guard !sessions.isEmpty else { return [] }
    let header = ["", "DEPLOYMENT", "ACCOUNT", "STATE", "TOKEN EXPIRES"]
    var rows = sessions.map { row($0, expiry: $0.expiry) }
    var table = TextTable([header] + rows)
    if table.width > style.columns {
      // Which deployment it is says more than the date.
      rows = sessions.map { row($0, expiry: $0.distanceToExpiry) }
      table = TextTable([header] + rows)
    }
    table.fit(style.columns, cutting: [1, 2])
    let body = zip(sessions, rows).map { summary, row in
      table.line(row) { $1 == 3 ? style.text($0, summary.attention) : $0 }
    }
    let legend = rows.contains { $0[0] == "*" } ? ["* meant when no URL is given"] : []
    return [style.text(table.line(header) { text, _ in text }, .heading)] + body + legend
  }

  private func row(_ summary: SessionSummary, expiry: String?) -> [String] {
    let mark = active.isDefault(summary.entry) ? "*" : ""
    return [mark, place(of: summary), account(of: summary), summary.state, expiry ?? "-"]
      .map(Terminal.clean)
  }

  private var passwordLines: [String] {
    guard !passwords.isEmpty else { return [] }
    var table = TextTable(
      passwords.map { ["", $0.entry.deployment, $0.entry.account].map(Terminal.clean) })
    table.fit(style.columns, cutting: [1, 2])
    return [style.text("Passwords kept for git", .heading)] + table.lines
  }

  private func place(of summary: SessionSummary) -> String {
    summary.entry.deployment.isEmpty ? "(locked)" : summary.entry.deployment
  }

  private func account(of summary: SessionSummary) -> String {
    let account = summary.entry.account.isEmpty ? "-" : summary.entry.account
    return active.isOneOfSeveral(summary.entry) ? "\(account) (active)" : account
  }

  private func name(of summary: SessionSummary) -> String {
    let who = summary.entry.account.isEmpty ? "" : "\(summary.entry.account) at "
    return Terminal.clean(who + place(of: summary))
  }
}

/// Which accounts are meant where none is named, of what is stored.
struct ActiveAccounts {
  private let accounts: [String: String]
  private let counts: [String: Int]
  private let defaultDeployment: String?

  init(_ entries: [SessionEntry], _ context: CommandContext) throws(Failure) {
    let lookup = try context.lookup()
    let byDeployment = Dictionary(grouping: entries.filter(\.mayHoldToken), by: \.deployment)
    counts = byDeployment.mapValues(\.count)
    var accounts: [String: String] = [:]
    for (url, entries) in byDeployment {
      let sessions = entries.compactMap { entry in
        if case .session(let session) = entry.content { session } else { nil }
      }
      guard let deployment = try? Deployment(url: url),
        let session = lookup.meant(among: sessions, at: deployment)
      else { continue }
      accounts[url] = session.account
    }
    self.accounts = accounts
    defaultDeployment = try context.defaultDeployment().flatMap { try? Deployment(url: $0).url }
  }

  /// Whether a session is its deployment's default one of several.
  func isOneOfSeveral(_ entry: SessionEntry) -> Bool {
    entry.mayHoldToken && accounts[entry.deployment] == entry.account
      && counts[entry.deployment] ?? 0 > 1
  }

  /// Whether a session is the one that is meant when no URL is given, because its deployment was
  /// chosen.
  func isDefault(_ entry: SessionEntry) -> Bool {
    entry.deployment == defaultDeployment && accounts[entry.deployment] == entry.account
      && entry.mayHoldToken
  }

  /// Whether a session's deployment was chosen to be meant when no URL is given.
  func isOfDefaultDeployment(_ entry: SessionEntry) -> Bool {
    entry.deployment == defaultDeployment
  }
}
