import Credentials
import HTTP
import OAuth
import Sessions

/// The registration that a sign-in has replaced by another one.
struct FormerRegistration {
  /// How long to wait for others who sign in or out, in milliseconds.
  private static let lockTimeoutMilliseconds = 10_000

  let flow: LoginFlow
  /// Where secrets may go.
  let policy: EndpointPolicy
  let http: any HTTPClient
  /// The registration before the sign-in, if there was one.
  let former: StoredRegistration?
  /// The one of the sign-in.
  let registration: StoredRegistration

  private var services: SessionServices { flow.services }

  /// Tells whose sessions cannot be refreshed any more, and deletes the registration at the server
  /// if nobody is left who uses it.
  func delete() {
    for other in othersSessions() ?? [] {
      flow.prompt.tell(.mustSignInAgain(account: other.account))
    }
    guard let former, former.clientID != registration.clientID, former.isDynamic else { return }
    do throws(SessionError) {
      // Another sign-in with it saves before the look, or finds out that the registration is gone.
      try services.lock.withRegistrationLock(
        at: flow.deployment, timeoutMilliseconds: Self.lockTimeoutMilliseconds
      ) { _ throws(SessionError) in
        let isUsed = othersSessions()?.contains {
          $0.clientID == former.clientID && $0.isAlive(now: services.clock.now)
        }
        // A keyring that does not tell now is no sign that nobody does.
        if isUsed == false { delete(former) }
      }
    } catch {
      services.trace("the former registration stays: \(error)")
    }
  }

  /// The sessions that belong to another registration; nil when the keyring fails.
  private func othersSessions() -> [StoredSession]? {
    let sessions = try? services.store.sessions(of: flow.deployment, account: nil)
    return sessions?.filter { $0.method == .oauth && $0.clientID != registration.clientID }
  }

  private func delete(_ former: StoredRegistration) {
    do throws(OAuthError) {
      try former.information.delete(policy: policy, client: http, now: services.clock.now)
    } catch {
      services.trace("the former registration stays: \(error)")
    }
  }
}
