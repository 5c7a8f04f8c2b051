import Credentials
import Sessions

/// One session as `status` shows it: what `list` shows, and what lies behind it.
struct StatusReport: Encodable {
  /// What the deployment said when it was asked.
  struct Check: Encodable {
    /// `works`, `due`, `rejected`, `unclear`, `unanswered`, `locked` or `skipped`.
    var result: String
    var account: String?
    var version: String?
  }

  let row: SessionRow
  let isDefault: Bool
  /// Whether a locked keyring does not tell what it is.
  let isHidden: Bool
  /// Whether a password kept for git, and no session.
  var isPassword: Bool { summary.isPassword }
  private(set) var check: Check?
  /// Why a check ends the command with another status than 0.
  private(set) var checkFailure: Failure?

  private let summary: SessionSummary
  /// Whether it is the one of several accounts that is meant.
  private let isActive: Bool
  private let session: StoredSession?
  /// Why it cannot be read.
  private let lock: StoreError?
  private let refreshFrom: String?
  private var endsSoon: String?
  private let clientKind: String?
  private let issuer: String?

  init(
    _ entry: SessionEntry, _ active: ActiveAccounts, _ context: CommandContext
  ) throws(Failure) {
    let now = context.clock.now
    row = SessionRow(entry, now: now)
    summary = SessionSummary(entry, now: now)
    isHidden = entry.isHidden
    isDefault = active.isOfDefaultDeployment(entry)
    isActive = active.isOneOfSeveral(entry)
    lock = entry.lock
    guard case .session(let session) = entry.content else {
      (session, refreshFrom, endsSoon, clientKind, issuer) = (nil, nil, nil, nil, nil)
      return
    }
    self.session = session
    endsSoon = Self.endsSoon(session, context)
    refreshFrom = session.refreshTime(
      margin: try context.settings().refreshMargin(for: session.deployment), now: now
    ).map(SessionRow.moment)
    // A registration that cannot be read is no failure here; the session is what was asked about.
    let registration =
      session.method == .oauth ? try? context.store.registration(of: session.deployment) : nil
    let own = registration.flatMap { $0.clientID == session.clientID ? $0 : nil }
    clientKind = own.map { $0.isDynamic ? "dynamic" : "manual" }
    issuer = own?.issuer
  }

  /// Asks the deployment whether the access token works, as it is.
  mutating func check(_ context: CommandContext) throws {
    guard let session, session.isForDeployment else {
      check = Check(result: row.state == "locked" ? "locked" : "skipped")
      if let lock { checkFailure = Failure(lock) }
      return
    }
    do throws(Failure) { try context.requireConfidential(session.deployment) } catch {
      check = Check(result: "skipped")
      checkFailure = error
      return
    }
    let line = ProgressLine("Asking \(session.deployment.url)", context.environment)
    defer { line?.end() }
    let api = try context.services().api(of: session.deployment)
    switch api.check(session.accessToken) {
    case .works(let account):
      check = Check(result: "works", account: account)
      try learnEnd(of: session, context)
    case .rejected where summary.renews && session.isExpiring(now: context.clock.now):
      // Its time has passed: the next use refreshes it.
      check = Check(result: "due")
    case .rejected:
      check = Check(result: "rejected")
      // Nothing that is shown or used later may call it valid.
      try? context.services().noteRejection(of: session)
      checkFailure = rejection(of: session)
    case .unclear: check = Check(result: "unclear")
    case .noResponse(let reason):
      check = Check(result: "unanswered")
      checkFailure = Failure(reason, at: session.deployment)
      return
    }
    check?.version = api.version()
  }
}

extension StatusReport {
  /// Asks until when a pasted token is kept.
  private mutating func learnEnd(of session: StoredSession, _ context: CommandContext) throws {
    guard session.method == .token, session.signedInAt != nil || session.keptUntil != nil,
      let current = try? context.services().prolonged(session)
    else { return }
    endsSoon = Self.endsSoon(current, context)
  }

  /// What helps against a rejection: a sign-in, or first a refresh, where only that tells whether the
  /// session has ended with its token.
  private func rejection(of session: StoredSession) -> Failure {
    guard summary.renews else {
      return Failure(SessionError.signInNeeded(session.identity, .refused))
    }
    let who = row.account.isEmpty ? "the token" : "the token of \(Terminal.clean(row.account))"
    return Failure(
      .signInAgain, "\(row.deployment) refuses \(who); the next use tries to renew it",
      hint: refreshCommand)
  }

  private var refreshCommand: String {
    let flag = row.account.isEmpty ? "" : Failure.flag(account: row.account)
    return "coder-cred refresh \(row.deployment)\(flag)"
  }

  private static func endsSoon(_ session: StoredSession, _ context: CommandContext) -> String? {
    session.endsSoon(now: context.clock.now) ? session.endsAt.map(SessionRow.moment) : nil
  }
}

/// How it is shown.
extension StatusReport {
  private enum CodingKeys: String, CodingKey {
    case check, client_id, client_kind, ends_at, issuer, refresh_from, scope
    case isDefault = "default"
    case isActive = "active"
  }

  func encode(to encoder: any Encoder) throws {
    try row.encode(to: encoder)
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(isDefault, forKey: .isDefault)
    if isActive { try fields.encode(true, forKey: .isActive) }
    try fields.encodeIfPresent(refreshFrom, forKey: .refresh_from)
    try fields.encodeIfPresent(endsSoon, forKey: .ends_at)
    try fields.encodeIfPresent(session?.scope, forKey: .scope)
    try fields.encodeIfPresent(session?.clientID, forKey: .client_id)
    try fields.encodeIfPresent(clientKind, forKey: .client_kind)
    try fields.encodeIfPresent(issuer, forKey: .issuer)
    try fields.encodeIfPresent(check, forKey: .check)
  }

  /// The report for people; `style` is that of the terminal, if it goes to one.
  func text(_ style: TerminalStyle?) -> String {
    let name = row.deployment.isEmpty ? "(locked)" : row.deployment
    let client = session?.clientID.map { id in clientKind.map { "\(id) (\($0))" } ?? id }
    let lines: [(label: String, value: String?)] = [
      ("account", (row.account.isEmpty ? "unknown" : row.account) + (isActive ? " (active)" : "")),
      ("method", row.method), ("state", state),
      ("expires", summary.expiry.map { $0 + (summary.renews ? ", renews automatically" : "") }),
      ("session", summary.end.map { "ends \($0) unless it is used before" }),
      ("scope", session?.scope), ("client", client), ("issuer", issuer), ("check", checkText),
      ("to do", isPassword ? nil : task ?? "nothing"),
    ]
    let notes = (isDefault ? " (default)" : "") + (isPassword ? " (password kept for git)" : "")
    let title = Terminal.clean(name) + notes
    let heading = style?.text(title, .heading) ?? title
    return ([heading] + lines.compactMap { label, value in value.map { line(label, $0, style) } })
      .joined(separator: "\n") + "\n"
  }

  private func line(_ label: String, _ value: String, _ style: TerminalStyle?) -> String {
    let padded = "  \(label):" + String(repeating: " ", count: 11 - label.count)
    // A command is cut nowhere: it is to be pasted.
    let isWhole = label == "to do" || style == nil
    let text = Terminal.clean(value)
    let columns = (style?.columns ?? 0) - padded.count
    let shown =
      isWhole
      ? LineWrapping.wrapped(text, to: style == nil || Terminal.size == nil ? .max : columns)
        .replacing("\n", with: "\n" + String(repeating: " ", count: padded.count))
      : TerminalStyle.cut(text, to: columns)
    let attention: TerminalStyle.Attention? =
      switch label {
      case "state": check?.result == "rejected" ? .needed : summary.attention
      case "to do": task == nil ? nil : summary.attention ?? .needed
      default: nil
      }
    return padded + (style?.text(shown, attention) ?? shown)
  }

  /// What a person must do; nil when nothing.
  private var task: String? {
    if check?.result == "rejected", let hint = checkFailure?.hint { return hint }
    return summary.task
  }

  private var state: String {
    let refused = summary.renews ? "refused, the next use tries to renew it" : "refused"
    if check?.result == "rejected" { return refused }
    return switch row.state {
    case "due": session?.staleSince == nil ? "expired, renews at the next use" : refused
    case "ended": "ended"
    case "valid" where isPassword: "kept, never checked"
    default: row.state
    }
  }

  private var checkText: String? {
    check.map { check in
      let who = check.account.map { $0 == row.account ? "" : " as \($0)" } ?? ""
      let (result, isUncertain) =
        switch check.result {
        case "due": ("expired", true)
        case "rejected": ("refused by the deployment", summary.renews)
        default: (check.result, false)
        }
      return result + who + (check.version.map { ", Coder \($0)" } ?? "")
        + (isUncertain ? "; to see whether it renews: \(refreshCommand)" : "")
    }
  }
}

extension StoredSession {
  /// From when on a use refreshes it, in Unix seconds; nil when nothing does.
  fileprivate func refreshTime(margin: Int64, now: Int64) -> Int64? {
    guard method == .oauth, refreshToken != nil else { return nil }
    if let staleSince { return staleSince }
    return expiresAt.map { $0.subtractingReportingOverflow(margin).partialValue }
  }
}
