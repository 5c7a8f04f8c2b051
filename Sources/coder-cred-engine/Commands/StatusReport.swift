import Credentials
import FoundationEssentials
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

  let row: ListCommand.Row
  let isDefault: Bool
  private(set) var check: Check?
  /// Why a check ends the command with another status than 0.
  private(set) var checkFailure: Failure?

  private let session: StoredSession?
  /// Why it cannot be read.
  private let lock: StoreError?
  private let refreshFrom: String?
  private let endsSoon: String?
  private let clientKind: String?
  private let issuer: String?

  init(_ entry: SessionEntry, _ context: CommandContext) throws(Failure) {
    row = ListCommand.Row(entry, now: context.clock.now)
    let settings = try context.settings()
    let known = settings.text("default-deployment", for: nil)
    isDefault = known.flatMap { try? Deployment(url: $0) }?.url == entry.deployment
    lock = if case .locked(let error) = entry.content { error } else { nil }
    guard case .session(let session) = entry.content else {
      (session, refreshFrom, endsSoon, clientKind, issuer) = (nil, nil, nil, nil, nil)
      return
    }
    self.session = session
    endsSoon =
      session.endsSoon(now: context.clock.now) ? session.endsAt.map(ListCommand.Row.moment) : nil
    refreshFrom = session.refreshTime(
      margin: try settings.refreshMargin(for: session.deployment), now: context.clock.now
    ).map(
      ListCommand.Row.moment)
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
    let api = try context.services().api(of: session.deployment)
    switch api.check(session.accessToken) {
    case .works(let account): check = Check(result: "works", account: account)
    case .rejected where row.state == "due":
      // Its time has passed, or a caller found out before us: the next use refreshes it.
      check = Check(result: "due")
    case .rejected:
      check = Check(result: "rejected")
      // Nothing that is shown or used later may call it valid.
      try? context.services().noteRejection(of: session)
      checkFailure = Failure(SessionError.signInNeeded(session.identity, .refused))
    case .unclear: check = Check(result: "unclear")
    case .noResponse(let reason):
      check = Check(result: "unanswered")
      checkFailure = Failure(reason, at: session.deployment)
      return
    }
    check?.version = api.version()
  }
}

/// How it is shown.
extension StatusReport {
  private enum CodingKeys: String, CodingKey {
    case check, client_id, client_kind, ends_at, issuer, refresh_from, scope
    case isDefault = "default"
  }

  func encode(to encoder: any Encoder) throws {
    try row.encode(to: encoder)
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(isDefault, forKey: .isDefault)
    try fields.encodeIfPresent(refreshFrom, forKey: .refresh_from)
    try fields.encodeIfPresent(endsSoon, forKey: .ends_at)
    try fields.encodeIfPresent(session?.scope, forKey: .scope)
    try fields.encodeIfPresent(session?.clientID, forKey: .client_id)
    try fields.encodeIfPresent(clientKind, forKey: .client_kind)
    try fields.encodeIfPresent(issuer, forKey: .issuer)
    try fields.encodeIfPresent(check, forKey: .check)
  }

  var text: String {
    let name = row.deployment.isEmpty ? "(locked)" : row.deployment
    let client = session?.clientID.map { id in clientKind.map { "\(id) (\($0))" } ?? id }
    let lines: [(String, String?)] = [
      ("account", row.account.isEmpty ? "unknown" : row.account), ("method", row.method),
      ("state", row.state), ("expires", row.expires_at),
      ("refreshed", refreshFrom.map { "from \($0) on, when asked for" }),
      ("ends", endsSoon.map { "\($0); sign in before: coder-cred login \(row.deployment)" }),
      ("scope", session?.scope), ("client", client), ("issuer", issuer), ("check", checkText),
    ]
    return
      ([Terminal.clean(name) + (isDefault ? " (default)" : "")]
      + lines.compactMap { label, value in
        value.map {
          "  \(label):" + String(repeating: " ", count: 11 - label.count) + Terminal.clean($0)
        }
      }).joined(separator: "\n") + "\n"
  }

  private var checkText: String? {
    check.map { check in
      let who = check.account.map { $0 == row.account ? "" : " as \($0)" } ?? ""
      return check.result + who + (check.version.map { ", Coder \($0)" } ?? "")
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
