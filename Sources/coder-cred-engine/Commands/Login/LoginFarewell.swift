import Credentials
import Sessions

/// What a person is told who ends a sign-in: that nothing was changed, and who stays signed in.
struct LoginFarewell {
  let deployment: Deployment
  /// Who is signed in there already.
  let accounts: [String]

  /// The sentence, without a capital or a full stop.
  var text: String {
    guard !accounts.isEmpty else {
      return "not signed in to \(deployment.url); nothing was changed"
    }
    let stay = accounts.count == 1 ? "stays" : "stay"
    return "nothing was changed; \(accounts.joined(separator: ", ")) \(stay) signed in to "
      + deployment.url
  }
}

extension CommandContext {
  /// What is told when a sign-in at a deployment is ended now.
  func farewell(at deployment: Deployment) -> LoginFarewell {
    let sessions = (try? store.sessions(of: deployment, account: nil)) ?? []
    let alive = sessions.filter {
      $0.method != .basic && !$0.account.isEmpty && !$0.hasEnded(now: clock.now)
    }
    return LoginFarewell(deployment: deployment, accounts: alive.map(\.account).sorted())
  }
}
