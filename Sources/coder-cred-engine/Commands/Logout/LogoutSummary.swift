/// What signing out has achieved so far, and the worst of what it has not.
struct LogoutSummary {
  var sessions = 0
  private var worst: Failure?

  /// Does a part, and notes its failure instead of passing it on.
  mutating func collect(_ part: (inout LogoutSummary) throws -> Void) throws {
    do {
      try part(&self)
    } catch {
      guard let failure = Failure(translating: error) else { throw error }
      note(failure)
    }
  }

  mutating func note(_ failure: Failure) {
    Terminal.warn(failure.message)
    if failure.exitStatus > worst?.exitStatus ?? 0 { worst = failure }
  }

  /// Ends with the worst exit status; everything has been said.
  func finish() throws(Failure) {
    guard var worst else { return }
    worst.isSilent = true
    throw worst
  }
}
