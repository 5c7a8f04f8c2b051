import Credentials
import Glibc

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
      environment.isDesktop, environment["DBUS_SESSION_BUS_ADDRESS"] != nil,
      !Terminal.hasController, isWanted(for: deployment),
      let stamp = try? NoticeStamp(of: deployment, environment: environment),
      stamp.take(now: WallClock.now())
    else { return }
    var variables = environment.variables
    // It may lie there for minutes, with an environment that others can read.
    variables["CODER_SESSION_TOKEN"] = nil
    _ = ChildProgram.ourselves([ShowNoticeCommand.verb, deployment.url], variables).start()
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
