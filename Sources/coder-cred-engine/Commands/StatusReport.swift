import Credentials
import FoundationEssentials
import OAuth
import Secrets

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
  private let refreshFrom: String?
  private let clientKind: String?
  private let issuer: String?

  init(_ entry: SessionEntry, _ context: CommandContext) throws(Failure) {
    row = ListCommand.Row(entry, now: context.now())
    let configuration = try context.configuration()
    let known = configuration.text("default-deployment", for: nil)
    isDefault = known.flatMap { try? Deployment(url: $0) }?.url == entry.deployment
    guard case .session(let session) = entry.content else {
      (session, refreshFrom, clientKind, issuer) = (nil, nil, nil, nil)
      return
    }
    self.session = session
    let margin = try configuration.number(
      "refresh-margin", for: session.deployment, in: StoredSession.margins)
    refreshFrom = session.refreshTime(margin: margin ?? 60, now: context.now()).map(
      ListCommand.Row.moment)
    // A client that cannot be read is doctor's business; the session is what was asked about.
    let client =
      session.method == .oauth
      ? try? context.keyring { store throws(StoreError) in
        try store.client(of: session.deployment)
      } : nil
    let own = client.flatMap { $0.registration.clientID == session.clientID ? $0 : nil }
    clientKind = own.map { $0.isManaged ? "dynamic" : "manual" }
    issuer = own?.issuer
  }

  /// Asks the deployment whether the access token works, as it is.
  mutating func check(_ context: CommandContext) throws(Failure) {
    guard let session, session.method != .basic else {
      check = Check(result: row.state == "locked" ? "locked" : "skipped")
      if row.state == "locked" { checkFailure = Failure(StoreError.locked) }
      return
    }
    do throws(Failure) { try context.requireConfidential(session.deployment) } catch {
      check = Check(result: "skipped")
      checkFailure = error
      return
    }
    let api = try DeploymentAPI(session.deployment, context)
    switch api.check(of: session.accessToken) {
    case .works(let account): check = Check(result: "works", account: account)
    case .rejected where row.state == "due":
      // Its time has passed, or a caller found out before us: the next use refreshes it.
      check = Check(result: "due")
    case .rejected:
      check = Check(result: "rejected")
      checkFailure = .signInAgain(
        session, "\(session.deployment.url) no longer accepts the session")
    case .unclear: check = Check(result: "unclear")
    case .unanswered(let failure):
      check = Check(result: "unanswered")
      checkFailure = failure
      return
    }
    check?.version = api.version()
  }
}

/// How it is shown.
extension StatusReport {
  private enum CodingKeys: String, CodingKey {
    case check, client_id, client_kind, issuer, refresh_from, scope
    case isDefault = "default"
  }

  func encode(to encoder: any Encoder) throws {
    try row.encode(to: encoder)
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(isDefault, forKey: .isDefault)
    try fields.encodeIfPresent(refreshFrom, forKey: .refresh_from)
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
