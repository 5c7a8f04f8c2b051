import Credentials

/// Signing in on demand, for people who want it, and only where somebody can answer.
struct LoginOnDemand {
  let context: CommandContext
  /// Whether the call itself asks for it; the configuration's `interactive=true` does too.
  let isWanted: Bool

  /// Answers, after a sign-in if that is all that was missing.
  ///
  /// What `body` does is done again then, not replaced by the new session: the person may have
  /// signed in as somebody else than was asked for.
  func signingInIfNeedBe<Value>(
    _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    do throws(Failure) {
      return try body()
    } catch {
      guard error.remedy == .signInAgain, let deployment = error.deployment,
        try mayAsk(for: deployment)
      else { throw error }
      try signIn(to: deployment)
    }
    return try body()
  }

  private func signIn(to deployment: Deployment) throws(Failure) {
    // Standard input may be the caller's request: nothing can be typed there.
    _ = try LoginFlow(
      context: context, deployment: deployment, options: LoginOptions(method: .oauth)
    ).run()
  }

  private func mayAsk(for deployment: Deployment) throws(Failure) -> Bool {
    let isConfigured = try context.configuration().flag("interactive", for: deployment)
    guard isWanted || isConfigured, context.environment.isDesktop || Terminal.hasController
    else { return false }
    return GitPrompts(environment: context.environment).areAllowed(for: deployment)
  }
}
