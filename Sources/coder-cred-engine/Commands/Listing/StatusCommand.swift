import ArgumentParser
import Credentials
import Glibc
import Sessions

/// `status`: where one stands with a deployment, or with all.
struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show what is known of the sessions with one deployment, or with all.",
    discussion: """
      Never shows a secret, never asks to unlock a keyring, and refreshes nothing. The exit status \
      is 1 when a person must sign in: without --check, when no session shown can be used; with \
      it, when the deployment rejects one. It is 75 when a deployment does not answer.
      """)

  @Argument(help: "The deployment (default: all).", completion: .deployments)
  var url: String?

  @Flag(help: "Print a JSON array.")
  var json = false

  @Flag(help: "Ask the deployment whether the access token works, as it is.")
  var check = false

  func run() throws {
    let context = CommandContext()
    let deployment = try url.map { try Deployment(url: $0) }
    let entries = try context.sortedEntries(near: deployment)
    let active = try ActiveAccounts(entries, context)
    var reports = try entries.map { entry in try StatusReport(entry, active, context) }
    if check { for index in reports.indices { try reports[index].check(context) } }
    if json {
      try Terminal.showJSON(reports)
    } else {
      let style = TerminalStyle(of: STDOUT_FILENO, context.environment)
      let shown = reports.filter { !$0.isHidden } + reports.filter(\.isHidden).prefix(1)
      let ordered = shown.filter { !$0.isPassword } + shown.filter(\.isPassword)
      try Terminal.show(ordered.map { $0.text(style) }.joined(separator: "\n"))
    }
    try verdict(reports, deployment)
  }

  private func verdict(_ reports: [StatusReport], _ deployment: Deployment?) throws(Failure) {
    guard !reports.isEmpty else {
      let place = deployment.map { " to \($0.url)" } ?? ""
      throw Failure(
        .signInAgain, "nobody is signed in\(place)",
        hint: "coder-cred login \(deployment?.url ?? "URL")")
    }
    let worst = reports.compactMap(\.checkFailure).max { $0.exitStatus < $1.exitStatus }
    if let worst { throw worst }
    let sessions = reports.filter { !$0.isPassword }
    guard sessions.allSatisfy({ $0.row.state == "ended" }), let first = sessions.first else {
      return
    }
    let flag = first.row.account.isEmpty ? "" : Failure.flag(account: first.row.account)
    throw Failure(
      .signInAgain, "no session is alive", hint: "coder-cred login \(first.row.deployment)\(flag)")
  }
}
