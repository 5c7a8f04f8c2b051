package import Credentials
import Glibc
package import HTTP
package import OAuth

/// What the work on sessions needs from outside, one seam each: keyring, lock, network, history,
/// clock, chance, and somebody to tell.
///
/// Nothing in this target reads the environment, the settings or the terminal.
package struct SessionServices {
  /// The keyring.
  package let store: any SessionStore
  /// One refresh of a session at a time.
  package let lock: any SessionLock
  /// What became of the last refreshes.
  package let history: any RefreshHistoryStore
  /// The time.
  package let clock: any SessionClock
  /// Where the secrets of a deployment may go, by the settings of this moment.
  package let policy: (Deployment) throws(OAuthError) -> EndpointPolicy
  /// The way to a deployment's server.
  package let client: (Deployment, Urgency) -> any HTTPClient
  /// A number at random.
  package let random: () -> UInt64
  /// Takes what a person should know although the work goes on.
  package let warn: (SessionWarning) -> Void
  /// Takes a line of what is done, free of secrets.
  package let trace: (String) -> Void
  /// Hands a session out before it is saved, for whoever can go on trying to save it afterwards; nil
  /// for whoever cannot.
  package var handOver: ((StoredSession) -> Void)?

  /// How long a caller can wait for a server.
  package enum Urgency {
    /// A tool waits for the credential, ten seconds at most.
    case callerWaits
    /// A person waits, and what is asked can be done without: five seconds.
    case personWaits
    /// A tool waits, and what is asked can be done without: three seconds.
    case callerCanDoWithout
    /// As long as a network needs.
    case canTakeItsTime
  }

  /// Brings the seams together.
  package init(
    store: any SessionStore, lock: any SessionLock, history: any RefreshHistoryStore,
    clock: any SessionClock,
    policy: @escaping (Deployment) throws(OAuthError) -> EndpointPolicy,
    client: @escaping (Deployment, Urgency) -> any HTTPClient,
    random: @escaping () -> UInt64 = { .random(in: 0...UInt64.max) },
    warn: @escaping (SessionWarning) -> Void, trace: @escaping (String) -> Void
  ) {
    self.store = store
    self.lock = lock
    self.history = history
    self.clock = clock
    self.policy = policy
    self.client = client
    self.random = random
    self.warn = warn
    self.trace = trace
  }
}

/// The time, as sessions need it.
package protocol SessionClock {
  /// The wall clock, in Unix seconds: what expiry times are compared with.
  var now: Int64 { get }
  /// Milliseconds since start-up, suspension included: what waits between processes are measured
  /// with. Setting the wall clock does not change it.
  var uptimeMilliseconds: Int64 { get }
  /// Waits.
  func sleep(milliseconds: Int)
}

/// The clocks of this machine.
package struct SystemClock: SessionClock {
  /// Makes it.
  package init() {}

  package var now: Int64 { Int64(time(nil)) }

  package var uptimeMilliseconds: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }

  package func sleep(milliseconds: Int) { usleep(UInt32(clamping: milliseconds * 1000)) }
}

/// Which session is meant, before it is read.
package struct SessionIdentity: Hashable, Sendable {
  /// Where it is valid.
  package let deployment: Deployment
  /// Whose it is; empty when nobody knows.
  package let account: String

  /// Names a session.
  package init(deployment: Deployment, account: String) {
    self.deployment = deployment
    self.account = account
  }
}

extension StoredSession {
  /// Which session this is.
  package var identity: SessionIdentity {
    SessionIdentity(deployment: deployment, account: account)
  }
}

extension SessionServices {
  /// Notes in the keyring that the deployment rejects a session's access token, if the session still
  /// has it: an OAuth session is refreshed at its next use, and any other has ended.
  ///
  /// - Throws: ``SessionError/store(_:)``; what the lock throws.
  package func noteRejection(of session: StoredSession) throws(SessionError) {
    try lock.noteRejection(of: session, in: store, clock: clock)
  }

  /// Changes the keyring while nobody refreshes this session.
  ///
  /// - Throws: ``SessionError/store(_:)`` for what `body` throws; what the lock throws.
  package func withLock<Value>(
    of session: StoredSession, _ body: (any SessionStore) throws(StoreError) -> Value
  ) throws(SessionError) -> Value {
    try lock.withSession(session.identity, in: store, clock: clock) {
      _, _ throws(SessionError) in
      do throws(StoreError) { return try body(store) } catch { throw .store(error) }
    }
  }
}

extension SessionServices {
  /// The deployment's own API.
  ///
  /// - Throws: ``SessionError/oauth(_:at:)`` when the deployment's URL allows no requests.
  package func api(
    of deployment: Deployment, urgency: Urgency = .canTakeItsTime
  ) throws(SessionError) -> DeploymentAPI {
    do throws(OAuthError) {
      return DeploymentAPI(policy: try policy(deployment), client: client(deployment, urgency))
    } catch {
      throw .oauth(error, at: deployment)
    }
  }
}
