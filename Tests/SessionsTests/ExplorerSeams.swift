import Credentials
import HTTP
import OAuth
import SecretService
import Secrets
import SessionFakes

@testable import Sessions

/// The seams of one process in a run.
struct ExploredSeams: SessionStore, SessionLock, RefreshHistoryStore, SessionClock, HTTPClient {
  private static let policy = Result { () throws(OAuthError) in
    try EndpointPolicy(deployment: deployment.url)
  }

  let run: Run
  let process: ExploredProcess

  var services: SessionServices {
    SessionServices(
      store: self, lock: lock, history: self, clock: self,
      policy: { _ throws(OAuthError) in try Self.policy.get() },
      client: { _, _ in self }, random: { UInt64(process.index) },
      warn: {
        run.trace(process, "warns: \($0)")
        process.warnings.append($0)
      }, trace: { _ in })
  }
}

/// The keyring.
extension ExploredSeams {
  func plainSessions(
    on server: Deployment, account: String?
  ) throws(StoreError) -> [StoredSession] { [] }

  func sessions(of place: Deployment, account: String?) throws(StoreError) -> [StoredSession] {
    try read()
    var sessions = run.world.keyring.sessions.filter {
      AccountMatch.serves(account, with: $0.account)
    }
    if !run.scenario.showsMarks {
      for index in sessions.indices
      where sessions[index].refreshingBy?.hasSuffix("-\(process.index)") != true {
        (sessions[index].refreshingSince, sessions[index].refreshingBy) = (nil, nil)
      }
    }
    process.lastRead = [:]
    for session in sessions where session.method == .oauth {
      let token = session.accessToken.bare
      process.everRead.insert(token)
      process.lastRead[token] = run.world.server.isAccessAlive(token, at: run.world.time)
    }
    run.trace(process, "reads \(sessions.map(Run.summary))")
    return sessions
  }

  func entries(of place: Deployment?) throws(StoreError) -> [SessionEntry] {
    try read()
    return run.world.keyring.sessions.map {
      SessionEntry(deployment: $0.deployment.url, account: $0.account, content: .session($0))
    }
  }

  func deploymentsWithRegistration() throws(StoreError) -> [String] {
    try read()
    return run.world.keyring.registration.map { [$0.deployment.url] } ?? []
  }

  func registration(of place: Deployment) throws(StoreError) -> StoredRegistration? {
    try read()
    return run.world.keyring.registration
  }

  func unlock() throws(StoreError) { try read() }

  func allowPrompts() {}

  var isReadableOnDisk: Bool { false }

  func removeLostSessions(of place: Deployment, account: String?) throws(StoreError) -> Int { 0 }

  func save(_ session: StoredSession) throws(StoreError) {
    try write("saves \(Run.summary(session))") { $0.save(session) }
    if let token = session.refreshToken?.bare {
      for other in run.processes { other.unsaved.remove(token) }
    }
  }

  func removeSessions(of place: Deployment, account: String?) throws(StoreError) {
    try write("removes the sessions of \(account ?? "all")") { $0.remove(account) }
  }

  func save(_ registration: StoredRegistration) throws(StoreError) {
    try write("saves the registration \(registration.clientID)") { $0.save(registration) }
  }

  func removeRegistration(of place: Deployment) throws(StoreError) {
    try write("removes the registration") { $0.save(nil as StoredRegistration?) }
  }

  private func read() throws(StoreError) {
    let fault = run.yield(process, at: .read)
    guard fault != .crash else { throw .keyring(.failed(reason: "stopped")) }
    guard !run.world.isKeyringGone else {
      process.see(1)
      throw .keyring(.serviceGone(reason: "gone"))
    }
    process.see(run.world.keyring.digest)
  }

  private func write(
    _ text: @autoclosure () -> String, _ change: (inout FakeKeyring) -> Void
  ) throws(StoreError) {
    let fault = run.yield(process, at: .write)
    guard fault != .crash else { throw .keyring(.failed(reason: "stopped")) }
    guard !run.world.isKeyringGone, fault != .failedSave else {
      run.trace(process, "cannot write: \(text())")
      process.see(2)
      throw run.world.isKeyringGone
        ? .keyring(.serviceGone(reason: "gone")) : .keyring(.failed(reason: "no"))
    }
    run.trace(process, text())
    run.checkedWrite(process, change)
    guard fault != .savedUnheard else {
      process.see(3)
      throw .keyring(.timedOut)
    }
    process.see(4)
  }
}

/// The locks of a runtime directory: who waits is woken when it is released, and looks first at what
/// the holder has left. On top of it is the real lock with the scope of the keyring.
extension ExploredSeams: BusNames {
  private var lock: any SessionLock {
    switch run.scenario.lock {
    case .ofBus, .leases, .mixed:
      KeyringLock(inner: self, names: self, clock: self, random: { UInt64(process.index) })
    case .ofDirectoryAlone: self
    }
  }

  func withLock<Value>(
    of session: SessionIdentity, timeoutMilliseconds: Int,
    orUse existing: () throws(SessionError) -> Value?,
    _ body: (HeldLock) throws(SessionError) -> Value
  ) throws(SessionError) -> Value {
    let lock = FakeLock(
      subject: session == .registration(at: deployment) ? .registration : .session,
      domain: process.domain)
    let deadline = run.world.uptimeMilliseconds + Int64(timeoutMilliseconds)
    while true {
      guard run.yield(process, at: .lock) != .crash else { throw .noRuntimeDirectory }
      if run.world.holders[lock] == nil { break }
      run.trace(process, "waits for the lock of the \(lock.subject)")
      run.wait(process, until: deadline, orFor: lock)
      guard process.isRunning else { throw .noRuntimeDirectory }
      guard run.world.holders[lock] == nil else {
        run.trace(process, "gives up waiting")
        process.hasFoundLocked = true
        process.see(5)
        throw .busy(holder: 1, waitedSeconds: timeoutMilliseconds / 1_000)
      }
      process.see(6)
      if let value = try existing() { return value }
    }
    process.see(7)
    run.world.holders[lock] = process.index
    run.trace(process, "locks the \(lock.subject)")
    defer {
      if process.isRunning {
        run.world.holders[lock] = nil
        run.trace(process, "unlocks the \(lock.subject)")
      }
    }
    return try body(HeldLock(coversKeyring: run.scenario.lock == .ofDirectoryAlone))
  }

  func claim(_ name: String) throws(StoreError) -> BusNameClaim {
    guard run.yield(process, at: .lock) != .crash else {
      throw .keyring(.failed(reason: "stopped"))
    }
    guard run.scenario.lock.letsOwnNames(process.domain) else { return .refused }
    process.see(run.world.nameOwners[name] ?? -1)
    guard run.world.nameOwners[name] == nil else {
      process.hasFoundLocked = true
      return .taken(by: 1)
    }
    run.world.nameOwners[name] = process.index
    run.trace(process, "owns the name")
    return .owned
  }

  func release(_ name: String) {
    guard process.isRunning else { return }
    run.world.nameOwners[name] = nil
    run.trace(process, "gives the name back")
  }
}

/// One sign-in at a time in a runtime directory.
extension ExploredSeams {
  /// Waits until no other sign-in is under way.
  func lockLogins() {
    while run.world.holders[loginLock] != nil, process.isRunning {
      run.wait(process, until: run.world.uptimeMilliseconds + 120_000, orFor: loginLock)
    }
    if process.isRunning { run.world.holders[loginLock] = process.index }
  }

  /// Lets others sign in.
  func unlockLogins() {
    if process.isRunning { run.world.holders[loginLock] = nil }
  }

  private var loginLock: FakeLock { FakeLock(subject: .login, domain: process.domain) }
}

/// The history of refreshes.
extension ExploredSeams {
  func history(of session: SessionIdentity) -> RefreshHistory {
    guard run.yield(process, at: .history) != .crash else { return RefreshHistory() }
    let history = run.world.histories[process.domain] ?? RefreshHistory()
    process.see(history.digest)
    return history
  }

  func save(_ history: RefreshHistory, of session: SessionIdentity) {
    guard run.yield(process, at: .history) != .crash else { return }
    run.world.histories[process.domain] = history
  }
}

/// The clocks.
extension ExploredSeams {
  var now: Int64 {
    _ = run.yield(process, at: .clock)
    let now = run.world.time + run.world.clockOffset
    process.see(Int(now))
    return now
  }

  var uptimeMilliseconds: Int64 {
    // Whoever was stopped must not wait for a time that does not come, from whenever they count.
    guard process.isRunning else {
      process.looksAtClockSinceStop += 1
      return .max / 8 + 1_000_000 * process.looksAtClockSinceStop
    }
    process.see(Int(run.world.uptimeMilliseconds))
    return run.world.uptimeMilliseconds
  }

  func sleep(milliseconds: Int) {
    // Who sleeps may always be woken late; in many small steps nothing else would happen.
    process.sleeps += 1
    let milliseconds = process.sleeps > 4 ? max(milliseconds, 2_500) : milliseconds
    run.wait(process, until: run.world.uptimeMilliseconds + Int64(milliseconds))
  }
}

/// The way to the server: one yield on the way there, and one on the way back.
extension ExploredSeams {
  func send(_ request: HTTPRequest) throws(HTTPError) -> HTTPResponse {
    switch run.yield(process, at: .send) {
    case .crash: throw .broken(reason: "stopped")
    case .lostRequest:
      process.see(8)
      throw .unreachable(reason: "no route")
    case .unavailable:
      process.see(9)
      return HTTPResponse(status: 503)
    default: break
    }
    let response = run.checkedRequest(process, request)
    switch run.yield(process, at: .receive) {
    case .crash: throw .broken(reason: "stopped")
    case .lostResponse:
      run.wait(process, until: run.world.uptimeMilliseconds + 9_000)
      process.see(10)
      throw .timedOut(reason: "9 s")
    default: break
    }
    process.see(response.status)
    process.see(response.body.hashValue)
    return response
  }
}
