import Foundation
import Glibc

/// A desktop session of our own: a home, a session bus and a gnome-keyring, for tests and demos.
///
/// Nothing of it reaches the user's session, and nothing of it stays behind: `tearDown()` ends every
/// child by its pid and removes the directory, and a watchdog does so if this process dies first.
public final class PrivateSession: @unchecked Sendable {
  /// What the session starts with.
  public enum Kind: Sendable, Hashable {
    /// An encrypted login keyring, unlocked.
    case unlocked
    /// The same, in a keyring daemon that was never given the password.
    case locked
    /// A keyring without a password, as users who log in automatically have: a text file.
    case plaintext
    /// A keyring daemon without any keyring.
    case withoutCollection
    /// A bus with nobody on it.
    case withoutDaemon
    /// Not even a bus.
    case withoutBus
  }

  /// What went wrong while setting up or steering a session.
  public struct Failure: Error, CustomStringConvertible {
    /// For whoever reads the test's log.
    public let description: String
    init(_ description: String) { self.description = description }
  }

  static let path = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"

  /// What it started with.
  public let kind: Kind
  /// The directory that holds everything, mode 0700, with a short path.
  public let directory: String
  /// The login keyring's password.
  public let password = "open sesame"
  /// What children get: nothing of ours, no display.
  public let environment: [String: String]
  /// The D-Bus address, whether or not anyone listens.
  public var busAddress: String { "unix:path=\(directory)/bus" }
  /// Where gnome-keyring keeps its files.
  public var keyrings: String { "\(directory)/data/keyrings" }

  private let watchdog: Watchdog
  private let guardian = NSLock()
  private var children: [ChildProcess] = []
  private var keyringDaemon: ChildProcess?

  /// Sets a session up; ready to use when it returns.
  ///
  /// `activation` is a directory of D-Bus `.service` files; without it the bus starts nothing.
  public init(_ kind: Kind = .unlocked, activation: String? = nil) throws {
    self.kind = kind
    directory = try Self.makeDirectory()
    environment = [
      "PATH": Self.path, "LANG": "C.UTF-8", "HOME": "\(directory)/home",
      "XDG_DATA_HOME": "\(directory)/data", "XDG_CONFIG_HOME": "\(directory)/config",
      "XDG_CACHE_HOME": "\(directory)/cache", "XDG_STATE_HOME": "\(directory)/state",
      "XDG_RUNTIME_DIR": "\(directory)/run",
      "DBUS_SESSION_BUS_ADDRESS": "unix:path=\(directory)/bus",
    ]
    watchdog = try Watchdog(directory: directory)
    do {
      if kind != .withoutBus { try startBus(activation: activation) }
      switch kind {
      case .unlocked:
        try startKeyring(unlock: true)
      case .locked:
        try startKeyring(unlock: true)
        try restartKeyring(unlock: false)
      case .plaintext:
        try writePlaintextKeyring()
        try startKeyring(unlock: false)
      case .withoutCollection:
        try startKeyring(unlock: false)
      case .withoutDaemon, .withoutBus:
        break
      }
    } catch {
      tearDown()
      throw error
    }
  }

  deinit { tearDown() }

  /// Ends every child and removes the directory; harmless the second time.
  public func tearDown() {
    let all = guardian.withLock {
      defer { children = [] }
      return children
    }
    // The last one first: what was started on the bus ends before the bus.
    for child in all.reversed() { child.end() }
    guard access(directory, F_OK) == 0 else { return }
    try? FileManager.default.removeItem(atPath: directory)
    watchdog.bye()
  }

  /// Runs a program within the session.
  public func run(
    _ executable: String, _ arguments: [String] = [], input: [UInt8] = [],
    environment additions: [String: String] = [:], directory: String? = nil, timeout: Double = 30
  ) throws -> CommandResult {
    try ChildProcess.run(
      executable, arguments, environment: environment.merging(additions) { $1 }, input: input,
      directory: directory, timeout: timeout)
  }

  /// Starts a program within the session; it ends with the session at the latest.
  ///
  /// Its output is appended to the file `log`, by default to the ``journal``.
  public func start(
    _ executable: String, _ arguments: [String] = [], input: [UInt8] = [],
    environment additions: [String: String] = [:], log: String? = nil
  ) throws -> ChildProcess {
    try adopt(
      ChildProcess.start(
        executable, arguments, environment: environment.merging(additions) { $1 }, input: input,
        log: log ?? "\(directory)/log"))
  }

  /// The running keyring daemon; `nil` while there is none.
  public internal(set) var keyring: ChildProcess? {
    get { guardian.withLock { keyringDaemon } }
    set { guardian.withLock { keyringDaemon = newValue } }
  }

  /// Ends a child of the session before the session ends.
  public func end(_ child: ChildProcess) {
    child.end()
    guardian.withLock { children.removeAll { $0 === child } }
    watchdog.dead(child)
  }

  private func adopt(_ child: ChildProcess) -> ChildProcess {
    guardian.withLock { children.append(child) }
    watchdog.born(child)
    return child
  }
}
