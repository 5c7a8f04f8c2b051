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

  @Argument(
    help: "The deployment (default: CODER_URL, the default one, or the only one).",
    completion: .deployments)
  var url: String?

  @Option(
    help: ArgumentHelp("Only this account's session.", valueName: "name"), completion: .accounts)
  var account: String?

  @Flag(help: "Every session with every deployment.")
  var all = false

  @Flag(help: "Only what is due; without a URL, of every deployment.")
  var due = false

  mutating func validate() throws {
    guard !all || url == nil else { throw ValidationError("--all takes no URL") }
  }

  /// How many sessions are refreshed at once.
  private static let atOnce = 16

  func run() throws {
    let context = CommandContext()
    // The timer asks nobody.
    if !due { context.store.allowPrompts() }
    var failures: [Failure] = []
    let chosen = try sessions(context, &failures)
    for failure in failures { Terminal.report(failure) }
    // What ends the command alone is told at its end.
    let isAlone = chosen.count == 1 && failures.isEmpty
    let what =
      chosen.count == 1
      ? "Refreshing the session with \(chosen[0].deployment.url)"
      : "Refreshing \(chosen.count) sessions"
    let line = ProgressLine(what, context.environment)
    defer { line?.end() }
    // At once, so that a deployment that does not respond keeps nobody else from their turn.
    for start in stride(from: 0, to: chosen.count, by: Self.atOnce) {
      let batch = chosen[start..<min(start + Self.atOnce, chosen.count)]
      let refreshes = batch.map { session in
        (session, Result { try begin(session, context) })
      }
      for (session, refresh) in refreshes {
        do {
          try finish(session, refresh.get(), context)
        } catch {
          guard let failure = Failure(translating: error) else { throw error }
          failures.append(failure)
          if due { SignInNotice(environment: context.environment).announceEnd(of: session) }
          guard !isAlone else { continue }
          Terminal.report(failure)
          SignInNotice(environment: context.environment).announce(failure)
        }
      }
    }
    // What a person must do something about comes before what time will heal.
    guard var failure = failures.first(where: { $0.remedy != .retryLater }) ?? failures.first
    else { return }
    failure.isSilent = !isAlone
    throw failure
  }

  private var reason: RefreshReason { due ? .schedule : .command }

  private func begin(
    _ session: StoredSession, _ context: CommandContext
  ) throws -> SessionRefresh.Step<DetachedRefresh?> {
    try context.requireConfidential(session.deployment)
    // Whoever holds the lock of a session that is due does what we would.
    return try context.startRefresh(
      of: session, because: reason, timeoutMilliseconds: due ? 0 : nil)
  }

  private func finish(
    _ session: StoredSession, _ step: SessionRefresh.Step<DetachedRefresh?>,
    _ context: CommandContext
  ) throws {
    guard case .started(let refresh) = step else { return }
    let refreshed = try context.outcome(of: refresh, session, reason)
    guard refreshed.accessToken != session.accessToken else { return }
    let who = refreshed.account.isEmpty ? "" : " as \(refreshed.account)"
    Terminal.say("Refreshed the session with \(refreshed.deployment.url)\(who).")
  }

  private func sessions(
    _ context: CommandContext, _ failures: inout [Failure]
  ) throws -> [StoredSession] {
    let stored =
      all || (due && url == nil) ? try every(context, &failures) : try named(context)
    guard due else { return stored }
    // A session that has ended needs a person, and not one more complaint every ten minutes.
    let chosen = stored.filter { $0.refreshToken != nil && $0.isDue(now: context.clock.now) }
    for session in stored where !chosen.contains(session) {
      SignInNotice(environment: context.environment).announceEnd(of: prolonged(session, context))
    }
    return chosen
  }

  /// A pasted token as the deployment keeps it now, if it is time to ask.
  private func prolonged(_ session: StoredSession, _ context: CommandContext) -> StoredSession {
    guard session.mayBeKeptLonger(now: context.clock.now),
      (try? context.requireConfidential(session.deployment)) != nil
    else { return session }
    return (try? context.services().prolonged(session)) ?? session
  }

  /// Every session of interest that can be read; that one is locked is a failure beside the others.
  private func every(
    _ context: CommandContext, _ failures: inout [Failure]
  ) throws -> [StoredSession] {
    var sessions: [StoredSession] = []
    var locked: StoreError?
    for entry in try context.store.entries(of: nil) {
      switch entry.content {
      case .session(let session):
        guard isOfInterest(session), AccountMatch.isExact(account, session.account) else {
          continue
        }
        sessions.append(session)
      case .locked(let error): locked = error
      case .lost, .unreadable: continue
      }
    }
    if let locked { failures.append(Failure(locked)) }
    return sessions
  }

  /// A pasted token cannot be refreshed, but its end is told in time.
  private func isOfInterest(_ session: StoredSession) -> Bool {
    session.method == .oauth || due && session.method == .token
  }

  private func named(_ context: CommandContext) throws -> [StoredSession] {
    let deployment = try context.deployment(named: url)
    for place in deployment.withParents {
      let sessions = try context.store.sessions(of: place, account: account)
        .filter(isOfInterest)
      if !sessions.isEmpty { return sessions }
    }
    throw Failure.signIn(
      to: deployment, "there is no session with \(deployment.url) that could be refreshed")
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
