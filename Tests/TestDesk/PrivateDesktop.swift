import Foundation
import Glibc

/// A user's desktop for one test: home and XDG directories, a session bus, and a Secret Service.
///
/// Nothing of it reaches the user who runs the tests, and nothing of it stays: `tearDown()` ends every
/// child by its pid and removes the directory, and a watchdog does so if this process dies first.
package final class PrivateDesktop: @unchecked Sendable {
  /// What went wrong while setting up or using a desktop.
  package struct Failure: Error, CustomStringConvertible {
    /// For the test's log.
    package let description: String
    init(_ description: String) { self.description = description }
  }

  /// The program that is the session bus.
  package enum Bus: Sendable {
    /// The reference implementation, dbus-daemon.
    case daemon
    /// dbus-broker, the default of Fedora and Arch Linux.
    case broker
  }

  /// Where the system's programs are.
  package static let path = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"

  /// Who serves as the Secret Service.
  package let provider: SecretServiceProvider
  /// The directory that holds everything, mode 0700, with a short path.
  package let directory: String
  /// The login keyring's password.
  package let password = "open sesame"
  /// What children get: nothing of ours, no display.
  package let environment: [String: String]
  /// The D-Bus address, whether or not anyone listens.
  package var busAddress: String { "unix:path=\(directory)/bus" }
  /// A directory of D-Bus `.service` files; the bus looks into it when it is told to.
  package var services: String { "\(directory)/services" }
  /// Where gnome-keyring keeps its files.
  package var keyrings: String { "\(directory)/data/keyrings" }

  private let watchdog: Watchdog
  private let mutex = NSLock()
  private var children: [ChildProcess] = []
  private var serviceDaemon: ChildProcess?

  /// Sets a desktop up; ready to use when it returns.
  ///
  /// `activation` is a directory of D-Bus `.service` files; without it the bus starts nothing.
  package init(
    _ provider: SecretServiceProvider = .unlocked, bus: Bus = .daemon, activation: String? = nil
  ) throws {
    self.provider = provider
    directory = try Self.makeDirectory()
    environment = [
      "PATH": Self.path, "LANG": "C.UTF-8", "HOME": "\(directory)/home",
      "XDG_DATA_HOME": "\(directory)/data", "XDG_CONFIG_HOME": "\(directory)/config",
      "XDG_CACHE_HOME": "\(directory)/cache", "XDG_STATE_HOME": "\(directory)/state",
      "XDG_RUNTIME_DIR": "\(directory)/run",
      "DBUS_SESSION_BUS_ADDRESS": "unix:path=\(directory)/bus",
    ].merging(Instrumentation.environment) { $1 }
    watchdog = try Watchdog(directory: directory)
    do {
      if case .withoutBus = provider { return }
      switch bus {
      case .daemon: try startBus(activation: activation)
      case .broker: try startBroker()
      }
      try startProvider()
    } catch {
      tearDown()
      throw error
    }
  }

  deinit { tearDown() }

  /// Ends every child and removes the directory; harmless the second time.
  package func tearDown() {
    let all = mutex.withLock {
      defer { children = [] }
      return children
    }
    // The last one first: what was started on the bus ends before the bus.
    for child in all.reversed() { child.end() }
    guard access(directory, F_OK) == 0 else { return }
    try? FileManager.default.removeItem(atPath: directory)
    watchdog.dismiss()
  }

  /// Runs a program of the desktop to its end.
  package func run(
    _ executable: String, _ arguments: [String] = [], input: [UInt8] = [],
    environment additions: [String: String] = [:], directory: String? = nil,
    timeoutSeconds: Double = 60
  ) throws -> CommandResult {
    try ChildProcess.run(
      executable, arguments, environment: environment.merging(additions) { $1 }, input: input,
      directory: directory, timeoutSeconds: timeoutSeconds)
  }

  /// Starts a program of the desktop; it ends with the desktop at the latest.
  ///
  /// Its output is appended to the file `log`, by default to the ``journal``.
  package func start(
    _ executable: String, _ arguments: [String] = [], input: [UInt8] = [],
    environment additions: [String: String] = [:], directory: String? = nil, log: String? = nil
  ) throws -> ChildProcess {
    try adopt(
      ChildProcess.start(
        executable, arguments, environment: environment.merging(additions) { $1 }, input: input,
        directory: directory, log: log ?? "\(self.directory)/log"))
  }

  /// The running Secret Service; `nil` while there is none.
  package internal(set) var secretService: ChildProcess? {
    get { mutex.withLock { serviceDaemon } }
    set { mutex.withLock { serviceDaemon = newValue } }
  }

  /// Ends a child of the desktop before the desktop ends.
  package func end(_ child: ChildProcess) {
    child.end()
    mutex.withLock { children.removeAll { $0 === child } }
    watchdog.ended(child)
  }

  private func adopt(_ child: ChildProcess) -> ChildProcess {
    mutex.withLock { children.append(child) }
    watchdog.started(child)
    return child
  }
}
