import ArgumentParser
import Credentials
import Sessions

/// `refresh`: now, or whatever is due.
struct RefreshCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "refresh",
    abstract: "Refresh sessions now, or those that are due.",
    discussion: """
      With --due it refreshes what would expire within half an hour, was rejected, or has not been \
      refreshed for six days; run it every ten minutes from the timer or from cron.
      """)

  @Argument(help: "The deployment (default: CODER_URL, the default one, or the only one).")
  var url: String?

  @Option(help: ArgumentHelp("Only this account's session.", valueName: "name"))
  var account: String?

  @Flag(help: "Every session with every deployment.")
  var all = false

  @Flag(help: "Only what is due; without a URL, of every deployment.")
  var due = false

  mutating func validate() throws {
    guard !all || url == nil else { throw ValidationError("--all takes no URL") }
  }

  func run() throws {
    let context = CommandContext()
    // The timer asks nobody.
    if !due { context.store.allowPrompts() }
    let chosen = try sessions(context)
    var failures: [Failure] = []
    for session in chosen {
      do {
        try refresh(session, context)
      } catch {
        guard let failure = Failure(translating: error) else { throw error }
        failures.append(failure)
        if chosen.count > 1 { Terminal.report(failure) }
      }
    }
    // What a person must do something about comes before what time will heal.
    guard var failure = failures.first(where: { $0.remedy != .retryLater }) ?? failures.first
    else { return }
    failure.isSilent = chosen.count > 1
    throw failure
  }

  private func refresh(_ session: StoredSession, _ context: CommandContext) throws {
    try context.requireConfidential(session.deployment)
    let refreshed = try SessionRefresh(services: context.services())
      .refresh(session, because: due ? .schedule : .command)
    guard refreshed.accessToken != session.accessToken else { return }
    let who = refreshed.account.isEmpty ? "" : " as \(refreshed.account)"
    Terminal.say("Refreshed the session with \(refreshed.deployment.url)\(who).")
  }

  private func sessions(_ context: CommandContext) throws -> [StoredSession] {
    let stored = all || (due && url == nil) ? try every(context) : try named(context)
    guard due else { return stored }
    // A session that has ended needs a person, and not one more complaint every ten minutes.
    return stored.filter { $0.refreshToken != nil && $0.isDue(now: context.clock.now) }
  }

  private func every(_ context: CommandContext) throws -> [StoredSession] {
    try context.store.entries(of: nil).compactMap { entry in
      switch entry.content {
      case .session(let session):
        session.method == .oauth && AccountMatch.isExact(account, session.account) ? session : nil
      case .locked(let error): throw error
      case .lost, .unreadable: nil
      }
    }
  }

  private func named(_ context: CommandContext) throws -> [StoredSession] {
    let deployment = try context.deployment(named: url)
    for place in deployment.withParents {
      let sessions = try context.store.sessions(of: place, account: account)
        .filter { $0.method == .oauth }
      if !sessions.isEmpty { return sessions }
    }
    throw Failure(
      .signInAgain, "there is no session with \(deployment.url) that could be refreshed",
      hint: "coder-cred login \(deployment.url)")
  }
}

extension StoredSession {
  /// Seconds before its end at which a token is due; longer than the timer's period, so that no
  /// `get` has to wait for the network.
  static let dueBefore: Int64 = 1_800
  /// Seconds after which an idle session is due. Deployments forget refresh tokens a week after
  /// their access token has expired, whatever lifetime they promised.
  static let dueAfter: Int64 = 6 * 86_400

  /// Whether it is time to refresh, at the Unix time `now`.
  func isDue(now: Int64) -> Bool {
    guard isFresh(now: now, minimumSeconds: Self.dueBefore) else { return true }
    guard let issuedAt else { return true }
    let (age, overflow) = now.subtractingReportingOverflow(issuedAt)
    return overflow || age >= Self.dueAfter
  }
}
