import Credentials
import HTTP
import OAuth
import Secrets
import SessionFakes

@testable import Sessions

/// What can go wrong at a yield.
enum Fault: UInt8, CaseIterable {
  /// The process stops for ever; its lock is released.
  case crash
  /// The process is stopped for 40 s, longer than anybody waits for it, and then goes on.
  case stall
  /// The request never reaches the server.
  case lostRequest
  /// The server does not act, and says so.
  case unavailable
  /// The server acts, and its response never arrives.
  case lostResponse
  /// A write fails.
  case failedSave
  /// A write happens, and is reported as failed.
  case savedUnheard
  /// The keyring is gone, for everybody and for good.
  case deadKeyring
  /// The keyring is gone, for everybody and for 2 s.
  case restartedKeyring
  /// The wall clock is set forward a day.
  case clockForward
  /// The wall clock is set back a day.
  case clockBack

  /// Its place in a set of faults.
  var bit: UInt16 { 1 << UInt16(rawValue) }

  /// Whether it can keep tokens that the server has issued from being saved.
  var canLose: Bool {
    switch self {
    case .crash, .lostResponse, .failedSave, .savedUnheard, .deadKeyring, .restartedKeyring: true
    case .stall, .lostRequest, .unavailable, .clockForward, .clockBack: false
    }
  }
}

/// Where a process yields: just before it does something that others can see, or that can fail.
enum Seam: UInt8 {
  case read
  case write
  case lock
  case send
  case receive
  case history
  case clock
  case sleep
  case start

  /// What can go wrong here.
  var faults: [Fault] { Self.table[Int(rawValue)] }

  private static let table: [[Fault]] = [
    [.crash, .stall, .deadKeyring],
    [.crash, .stall, .failedSave, .savedUnheard, .deadKeyring, .restartedKeyring],
    [.crash, .stall],
    [.crash, .stall, .lostRequest, .unavailable],
    [.crash, .stall, .lostResponse],
    [.crash],
    [.clockForward, .clockBack],
    [.crash],
    [],
  ]
}

/// What the keyring holds: the sessions and the registration of one deployment.
struct FakeKeyring {
  private(set) var sessions: [StoredSession] = []
  private(set) var registration: StoredRegistration?
  /// A digest of the content.
  private(set) var digest = 0

  /// Alice's session by OAuth.
  var session: StoredSession? { sessions.first { $0.account == "alice" && $0.method == .oauth } }

  mutating func save(_ session: StoredSession) {
    sessions.removeAll { $0.account == session.account }
    sessions.append(session)
    update()
  }

  mutating func remove(_ account: String?) {
    sessions.removeAll { AccountMatch.isExact(account, $0.account) }
    update()
  }

  mutating func save(_ registration: StoredRegistration?) {
    self.registration = registration
    update()
  }

  private mutating func update() {
    var digest = Digest()
    digest.add(registration?.clientID ?? "")
    for session in sessions {
      digest.add(session.account)
      digest.add(session.method.rawValue)
      digest.add(session.accessToken.bare)
      digest.add(session.refreshToken?.bare ?? "")
      digest.add(Int(session.issuedAt ?? -1))
      digest.add(Int(session.expiresAt ?? -1))
      digest.add(Int(session.staleSince ?? -1))
      digest.add(Int(session.refreshingSince ?? -1))
      digest.add(session.refreshingBy ?? "")
      digest.add(session.clientID ?? "")
    }
    self.digest = digest.value
  }
}

/// A lock of a runtime directory.
struct FakeLock: Hashable {
  enum Subject: Int {
    case session
    case registration
    /// Sign-ins: one at a time.
    case login
  }

  let subject: Subject
  let domain: Int
}

/// Everything outside the processes of one run.
struct World {
  var keyring = FakeKeyring()
  var server: FakeDeployment { didSet { serverDigest = server.digest } }
  private(set) var serverDigest = 0
  /// The owners of names on the bus.
  var nameOwners: [String: Int] = [:]
  /// The holders of the locks.
  var holders: [FakeLock: Int] = [:]
  /// The histories, by lock domain: they are files beside the locks.
  var histories: [Int: RefreshHistory] = [:]
  var uptimeMilliseconds: Int64 = Self.start
  /// What the wall clock is ahead of the true time, in seconds.
  var clockOffset: Int64 = 0
  /// Until when the keyring is gone, as an uptime.
  var keyringReturns: Int64 = 0
  /// What went wrong in this run.
  var fault: Fault?

  static let start: Int64 = 50_000_000

  init(server: FakeDeployment) {
    self.server = server
    serverDigest = server.digest
  }

  /// The true time, in Unix seconds, by which tokens die at the server.
  var time: Int64 { 1_000_000 + (uptimeMilliseconds - Self.start) / 1_000 }

  var isKeyringGone: Bool { uptimeMilliseconds < keyringReturns }

  /// Whether a session's refresh token works.
  func isLive(_ session: StoredSession?) -> Bool {
    session?.refreshToken.map { server.isRefreshAlive($0.bare) } ?? false
  }

  /// Adds all of it to a digest.
  func add(to digest: inout Digest) {
    digest.add(keyring.digest)
    digest.add(serverDigest)
    // In no order, as they are kept.
    digest.add(nameOwners.reduce(0) { $0 ^ ($1.key.hashValue &* ($1.value + 2)) })
    for domain in 0...1 {
      for subject in [FakeLock.Subject.session, .registration, .login] {
        digest.add(holders[FakeLock(subject: subject, domain: domain)] ?? -1)
      }
      digest.add(histories[domain]?.digest ?? 0)
    }
    digest.add(Int(uptimeMilliseconds))
    digest.add(Int(clockOffset))
    digest.add(Int(keyringReturns))
    digest.add(fault.map { Int($0.rawValue) } ?? -1)
  }
}

extension RefreshHistory {
  /// A digest of all of it.
  var digest: Int {
    var digest = Digest()
    digest.add(Int(failures))
    digest.add(Int(failedAt))
    digest.add(Int(retryAt))
    digest.add(Int(forcedAt))
    digest.add(Int(forcedToken))
    digest.add(Int(rediscoveredAt))
    return digest.value
  }
}

extension Secret {
  /// The fakes' tokens are no secrets, and the checks compare them.
  var bare: String { revealed }
}
