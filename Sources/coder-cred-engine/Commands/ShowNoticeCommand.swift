import ArgumentParser
import Credentials
import Glibc
import Notifications
import Sessions

/// What a failing process leaves behind to tell the person; not for people to run.
struct ShowNoticeCommand: ParsableCommand {
  static let verb = "show-sign-in-notice"

  static let configuration = CommandConfiguration(
    commandName: verb, abstract: "Notify the person that signing in is needed.",
    shouldDisplay: false)

  /// How long the notification waits for the person.
  static let timeoutSeconds = 300

  @Argument(help: "The deployment.")
  var url: String

  @Option(help: "When the session ends, in Unix seconds, if it has not yet.")
  var ends: Int64?

  @Option(help: "Whose session it is that ends.")
  var account = ""

  func run() throws {
    let deployment: Deployment
    do throws(MalformedInput) {
      deployment = try Deployment(url: url)
    } catch {
      throw Failure(error)
    }
    // Whatever the bus and the server of notifications do, nothing of us stays for good.
    alarm(UInt32(Self.timeoutSeconds + 60))
    let notice = Notification(
      summary: "Sign in to \(Self.shown(deployment.name))",
      body: ends.map { end in
        "The session with \(Self.shown(deployment.url)) ends \(LocalTime.text(end, now: Int64(time(nil))))."
      } ?? "A program needs a token for \(Self.shown(deployment.url)), and the session has ended.",
      action: "Sign in")
    let outcome: Notification.Outcome
    do throws(Failure) { outcome = try show(notice) } catch {
      // Whoever starts a notification service later shall hear of it.
      try? stamp(of: deployment)?.giveBack()
      throw error
    }
    guard case .chosen(let token) = outcome else { return }
    alarm(0)
    try login(to: deployment, activationToken: token)
  }

  private func stamp(of deployment: Deployment) throws(SessionError) -> NoticeStamp? {
    let directory = RuntimeDirectory(.ofThisProcess)
    guard let ends else { return try NoticeStamp(of: deployment, in: directory) }
    return try NoticeStamp(
      ofEnd: ends, SessionIdentity(deployment: deployment, account: account), in: directory)
  }

  private func show(_ notice: Notification) throws(Failure) -> Notification.Outcome {
    do throws(Notification.Unavailable) {
      return try notice.show(
        onBus: Environment.ofThisProcess["DBUS_SESSION_BUS_ADDRESS"] ?? "",
        timeoutSeconds: Self.timeoutSeconds)
    } catch {
      throw Failure(.unlock, "no notification can be shown: \(error.reason)")
    }
  }

  private func login(to deployment: Deployment, activationToken: String?) throws(Failure) {
    var variables = Environment.ofThisProcess.variables
    // Wayland compositors let a window come to the front that brings this.
    variables["XDG_ACTIVATION_TOKEN"] = activationToken
    let login = ChildProgram.ourselves(["login", deployment.url], variables)
    if let child = login.start(), ChildProgram.wait(for: child) == 0 { return }
    alarm(60)
    _ = try show(
      Notification(
        summary: "Not signed in to \(Self.shown(deployment.name))",
        body: "To see why, run in a terminal: coder-cred login \(Self.shown(deployment.url))"))
  }

  private static func shown(_ text: String) -> String {
    let clean = Terminal.clean(text)
    return clean.count <= 120 ? clean : "\(clean.prefix(119))…"
  }
}
