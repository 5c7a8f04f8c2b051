import Credentials
import Login

/// Signing in on demand, for people who want it, and only where somebody can respond.
struct LoginOnDemand {
  let context: CommandContext
  /// Whether the call itself asks for it; the configuration's `interactive=true` does too.
  let isWanted: Bool

  /// Does something, after a sign-in if that is all that was missing.
  ///
  /// What `body` does is done again then, not replaced by the new session: the person may have
  /// signed in as somebody else than was asked for.
  func signingInIfNeeded<Value>(_ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch {
      guard let failure = Failure(translating: error), failure.remedy == .signInAgain,
        let deployment = failure.deployment, try mayAsk(for: deployment)
      else { throw error }
      try login(to: deployment, as: failure.account)
    }
    return try body()
  }

  private func login(to deployment: Deployment, as account: String?) throws {
    var options = try context.loginOptions(for: deployment)
    options.account = account
    // Standard input may be the caller's request: nothing can be typed there.
    options.method = .oauth
    do {
      context.makeActive(try context.login(to: deployment, options, opensBrowser: true))
    } catch let error as LoginError {
      throw Failure(error, at: deployment)
    }
  }

  private func mayAsk(for deployment: Deployment) throws(Failure) -> Bool {
    let isConfigured = try context.settings().flag("interactive", for: deployment)
    guard isWanted || isConfigured, context.environment.isDesktop || Terminal.hasController
    else { return false }
    return GitPrompts(environment: context.environment).areAllowed(for: deployment)
  }
}
