import Credentials
import HTTP
import Secrets
import SessionFakes

@testable import Sessions

/// What must hold, at every step and at the end.
extension Run {
  /// A session in few words.
  static func summary(_ session: StoredSession) -> String {
    let marks =
      (session.staleSince == nil ? "" : " stale")
      + (session.refreshingSince == nil ? "" : " refreshing")
    return "\(session.method) \(session.accessToken.bare) \(session.refreshToken?.bare ?? "-")"
      + marks
  }

  /// Changes the keyring. No live session is ended, but by who was told to.
  func checkedWrite(_ process: ExploredProcess, _ change: (inout FakeKeyring) -> Void) {
    let before = world.keyring.session
    let wasLive = world.isLive(before)
    change(&world.keyring)
    noteState()
    guard wasLive, !process.kind.ends, !world.isLive(world.keyring.session) else { return }
    // For a moment: the sign-in looks again, and what is left in the end is checked.
    if mayBeOvertaken || scenario.lock != .ofBus && isSigningIn { return }
    violate("\(process.kind) ended the live session \(before.map(Self.summary) ?? "")")
  }

  /// Lets the server act on a request. No refresh token is spent twice, and nobody but who was told
  /// to ends what the keyring holds.
  func checkedRequest(_ process: ExploredProcess, _ request: HTTPRequest) -> HTTPResponse {
    let (response, act) = world.server.respond(to: request, at: world.time)
    noteState()
    trace(process, "\(request): \(response.status), \(act)")
    switch act {
    case .none: break
    case .issued(let access, let refresh, let isRotation):
      process.own.insert(access)
      process.unsaved.insert(refresh)
      if isRotation { process.rotations += 1 }
    case .reused(let token):
      // A response that nobody could keep leaves the next process no choice.
      if !isExcused, !(scenario.start == .spent && token == "r1") {
        violate("\(process.kind) spent \(token) again")
      }
    case .ended(let grants):
      let refreshTokens = grants.map(\.refresh)
      if !process.unsaved.isDisjoint(with: refreshTokens) { process.hasGivenUp = true }
      process.unsaved.subtract(refreshTokens)
      let kept = world.keyring.session?.refreshToken?.bare
      if !process.kind.ends, !mayBeOvertaken, grants.contains(where: { $0.refresh == kept }) {
        violate("\(process.kind) revoked the session that the keyring holds")
      }
    }
    return response
  }

  /// A sign-in saves although somebody keeps the lock for longer than it can wait. Who was stopped
  /// between a look at the item and the write, and goes on only then, cannot know of it: no keyring
  /// compares by itself. What a slow holder saves after the exchange is dead until the sign-in saves.
  private var mayBeOvertaken: Bool {
    guard let fault = world.fault, [.stall, .restartedKeyring].contains(fault) else { return false }
    return processes.contains(where: \.hasFoundLocked)
  }

  /// Whether a sign-in is under way.
  private var isSigningIn: Bool {
    processes.contains { [.login, .loginAnew].contains($0.kind) && !$0.hasEnded }
  }

  /// Whether something went wrong between an act of the server and the save of what it issued.
  private var isExcused: Bool {
    world.fault?.canLose == true && processes.contains(where: \.hasLost)
  }

  /// Checks what is left when every process has ended.
  func checkEnd() {
    guard violations.isEmpty else { return }
    for process in processes where process.isRunning { checkOutput(process) }
    checkRotations()
    checkLoss()
  }

  /// Nobody gets a token that the server never gave, or had ended when it was read, without a word.
  private func checkOutput(_ process: ExploredProcess) {
    guard case .output(let session) = process.outcome, session.method == .oauth else { return }
    let token = session.accessToken.bare
    guard !process.own.contains(token) else { return }
    guard process.everRead.contains(token) else {
      return violate("\(process.kind) output \(token), which it did not read")
    }
    // Only a clock that was set can make a token look alive that has expired.
    let mayBeMistaken = world.clockOffset != 0 && !world.server.isAccessKilled(token)
    guard process.lastRead[token] != true, process.warnings.isEmpty, !mayBeMistaken,
      !mayBeOvertaken
    else { return }
    violate("\(process.kind) output the dead \(token) without a word")
  }

  /// At most one rotation for a demand: all who ask for age share one, and so do all who report a
  /// rejection; each command may have its own.
  private func checkRotations() {
    let kinds = processes.map(\.kind)
    let shared = kinds.contains(.get) ? 1 : 0
    let rejections = kinds.contains(.retry) ? 1 : 0
    let commands = kinds.count { $0 == .refresh }
    let total = processes.map(\.rotations).reduce(0, +)
    // Who is stopped after marking a session costs the next caller a refresh.
    let marks = world.fault?.canLose == true ? kinds.count { !$0.refreshes } : 0
    let limit = world.clockOffset == 0 ? shared + rejections + commands + marks : kinds.count
    if total > limit { violate("\(total) rotations for \(limit) demands") }
    if processes.contains(where: { $0.rotations > 1 }) { violate("one process rotated twice") }
  }

  /// A session is lost only between the server's act and the save, and that is said.
  private func checkLoss() {
    let isWanted = processes.contains { $0.kind.ends }
    let isLost = !world.isLive(world.keyring.session)
    if isWanted {
      checkSignedOut()
    } else if isLost, scenario.start != .spent {
      let isSaid = processes.contains { $0.isRunning && $0.hasSpoken }
      guard isExcused || mayBeOvertaken && isSaid else { return violate("the session is lost") }
      for process in processes where process.isRunning && process.hasLost {
        if !process.hasSpoken { violate("\(process.kind) lost a session without a word") }
      }
    }
    checkNextGet()
  }

  /// What was signed out of stays so.
  private func checkSignedOut() {
    let isDone = processes.contains { process in
      if case .done = process.outcome { process.kind.ends && process.isRunning } else { false }
    }
    let mayComeBack = processes.contains {
      [.login, .loginAnew, .store].contains($0.kind)
    }
    if isDone, !mayComeBack, world.keyring.session != nil {
      violate("a session came back after it was removed")
    }
  }

  /// The next caller gets a token that works, or hears why not.
  private func checkNextGet() {
    guard let session = world.keyring.session else { return }
    let token = session.accessToken.bare
    // What is fresh and alive is handed out as it is: no need to run it.
    if world.isLive(session), world.server.isAccessAlive(token, at: world.time) { return }
    world.keyringReturns = 0
    world.uptimeMilliseconds += 60_000
    world.holders = [:]
    let next = ExploredProcess(index: processes.count, kind: .get, domain: 0)
    next.outcome = next.kind.run(in: self, as: next)
    trace(next, "comes last: \(next.outcome.map { "\($0)" } ?? "")")
    checkOutput(next)
  }
}
