import Glibc
import Secrets

/// What `systemctl show` says of a unit.
private struct Unit {
  private let properties: [String: String]

  init(_ text: String) {
    var properties: [String: String] = [:]
    for line in text.utf8.split(separator: UInt8(ascii: "\n")).compactMap(String.init) {
      guard let equals = line.utf8.firstIndex(of: UInt8(ascii: "=")) else { continue }
      properties[String(line[..<equals])] = String(line[equals...].dropFirst())
    }
    self.properties = properties
  }

  subscript(_ name: String) -> String {
    properties[name] ?? ""
  }

  /// `ExecStart={ path=/usr/bin/coder-cred ; argv[]=… }`.
  var program: String? {
    let command = self["ExecStart"]
    let words = command.utf8.split(separator: UInt8(ascii: " ")).compactMap(String.init)
    return words.first { $0.hasPrefix("path=") }.map { String($0.dropFirst("path=".count)) }
  }
}

extension DoctorCheck {
  private static let unit = "coder-cred-refresh"

  /// What keeps sessions alive that are seldom used.
  static var timer: DoctorCheck {
    DoctorCheck("timer") { context in
      guard let timer = show("\(unit).timer", context), timer["LoadState"] == "loaded" else {
        return [cron(context)]
      }
      let service = show("\(unit).service", context)
      if let program = service?.program, access(program, X_OK) != 0 {
        return [
          .failure(
            "it runs \(context.shown(program)), which is not there",
            fix: "systemctl --user edit --full \(unit).service")
        ]
      }
      guard timer["ActiveState"] == "active" else {
        let enable = "systemctl --user enable --now \(unit).timer"
        return [
          .warning(
            "it is installed, but not switched on: sessions that are not used for days end",
            fix: enable,
            repair: Finding.Repair(question: "Switch \(unit).timer on") {
              let arguments = ["--user", "enable", "--now", "\(unit).timer"]
              guard context.output("systemctl", arguments) != nil else {
                throw Failure(.fixTheCall, "\(enable) did not succeed")
              }
            })
        ]
      }
      let last = timer["LastTriggerUSec"]
      let when = last.isEmpty || last == "n/a" ? "it has not run yet" : "last run \(last)"
      if let result = service?["Result"], !["", "success"].contains(result) {
        return [
          .failure(
            "its last run failed (\(ForeignText.label(result)), status "
              + "\(ForeignText.label(service?["ExecMainStatus"] ?? "")))",
            fix: "systemctl --user status \(unit).service", .retryLater)
        ]
      }
      return [.ok("\(unit).timer is on; \(ForeignText.label(when))")]
    }
  }

  private static func show(_ name: String, _ context: DoctorContext) -> Unit? {
    let properties = "LoadState,ActiveState,LastTriggerUSec,Result,ExecMainStatus,ExecStart"
    return context.output("systemctl", ["--user", "show", name, "--property=\(properties)"])
      .map(Unit.init)
  }

  /// crontab(5): "PATH […] /usr/bin:/bin" unless the table sets it.
  private static func cron(_ context: DoctorContext) -> Finding {
    let lines = (context.output("crontab", ["-l"]) ?? "").utf8
      .split(separator: UInt8(ascii: "\n")).compactMap(String.init)
      .filter { !$0.hasPrefix("#") }
      // A path with blanks stands in quotation marks.
      .map { $0.replacing("'", with: "").replacing("\"", with: "") }
    let program = (Installation()?.fastPath ?? "coder-cred").shellWord
    let runtime =
      context.environment.directory("XDG_RUNTIME_DIR") ?? "/run/user/\(Environment.userID)"
    let own = "*/10 * * * * XDG_RUNTIME_DIR=\(runtime.shellWord) \(program) refresh --due"
    guard let line = lines.first(where: { $0.contains("coder-cred refresh") }) else {
      return .warning(
        "nothing refreshes sessions that are not used: a deployment forgets them after days",
        fix: "systemctl --user enable --now \(unit).timer; or, in crontab -e:\n\(own)")
    }
    let isFound =
      line.contains("/coder-cred refresh") || lines.contains { $0.hasPrefix("PATH=") }
      || access("/usr/bin/coder-cred", X_OK) == 0 || access("/bin/coder-cred", X_OK) == 0
    return isFound
      ? .ok("cron runs coder-cred refresh")
      : .failure(
        "cron does not find coder-cred: its PATH is /usr/bin:/bin", fix: "in crontab -e:\n\(own)")
  }
}
