import Credentials
import Glibc
import Sessions

/// Tells a person on their desktop that they must sign in, when a process without a terminal has
/// failed for want of it.
struct SignInNotice {
  let environment: Environment

  /// Has a notification shown, at most one for each deployment in 15 minutes.
  ///
  /// The failing process does not wait: a child of its own shows the notification and stays for the
  /// answer.
  func announce(_ failure: Failure) {
    guard failure.remedy == .signInAgain, !failure.isSilent, let deployment = failure.deployment,
      canBeShown(for: deployment),
      let stamp = try? NoticeStamp(of: deployment, in: RuntimeDirectory(environment)),
      stamp.take(now: SystemClock().now)
    else { return }
    show([deployment.url])
  }

  /// Has a notification shown, once, that a session ends within days.
  func announceEnd(of session: StoredSession) {
    guard let end = session.endsAt, session.endsSoon(now: SystemClock().now),
      canBeShown(for: session.deployment),
      let stamp = try? NoticeStamp(
        ofEnd: end, session.identity, in: RuntimeDirectory(environment)),
      stamp.take(now: SystemClock().now)
    else { return }
    show([session.deployment.url, "--ends", String(end), "--account=\(session.account)"])
  }

  private func canBeShown(for deployment: Deployment) -> Bool {
    environment.isDesktop && environment["DBUS_SESSION_BUS_ADDRESS"] != nil
      && !Terminal.hasController && isWanted(for: deployment)
  }

  private func show(_ arguments: [String]) {
    var variables = environment.variables
    // It may lie there for minutes, with an environment that others can read.
    variables["CODER_SESSION_TOKEN"] = nil
    _ = ChildProgram.ourselves([ShowNoticeCommand.verb] + arguments, variables).start()
  }

  private func isWanted(for deployment: Deployment) -> Bool {
    (try? Settings(environment))?.text("notifications", for: deployment) != "false"
  }
}

extension Environment {
  /// Whether there is a display to show something on.
  var isDesktop: Bool { self["DISPLAY"] != nil || self["WAYLAND_DISPLAY"] != nil }
}

extension Terminal {
  /// Whether a person sits before us: a controlling terminal, whatever our streams lead to.
  static var hasController: Bool {
    let descriptor = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)
    if descriptor >= 0 { close(descriptor) }
    return descriptor >= 0
  }
}

/// When a person was last notified about a deployment, so that a hundred failing processes bother
/// them once.
///
/// The time is that of the file; what is in it is never read. An empty file is one that nobody has
/// notified anyone with yet.
struct NoticeStamp {
  /// How long a notification stands for all that would follow, in seconds.
  static let usualIntervalSeconds: Int64 = 900

  private let file: RuntimeFile
  private let intervalSeconds: Int64

  init(of deployment: Deployment, in directory: RuntimeDirectory) throws(SessionError) {
    file = try directory.file(about: deployment.url, suffix: "notified")
    intervalSeconds = Self.usualIntervalSeconds
  }

  /// A stamp for the end of a session at the Unix time `end`, which is notified about once.
  init(
    ofEnd end: Int64, _ session: SessionIdentity, in directory: RuntimeDirectory
  ) throws(SessionError) {
    file = try directory.file(
      about: "\(session.deployment.url)\n\(session.account)\n\(end)", suffix: "notified")
    intervalSeconds = .max
  }

  /// Takes the right to notify, for one process at a time and once in an interval.
  func take(now: Int64) -> Bool {
    guard let descriptor = try? file.open() else { return false }
    defer { close(descriptor) }
    // Whoever holds the lock is about to notify.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return false }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return false }
    // A time to come is a clock that was set back: it must not silence us for good.
    let age = now.subtractingReportingOverflow(Int64(status.st_mtim.tv_sec)).partialValue
    guard status.st_size == 0 || !(0..<intervalSeconds).contains(age) else { return false }
    return ftruncate(descriptor, 0) == 0 && write(descriptor, "\n", 1) == 1
  }

  /// Gives the right back: nobody could be notified.
  func giveBack() {
    guard let descriptor = try? file.open() else { return }
    ftruncate(descriptor, 0)
    close(descriptor)
  }
}
