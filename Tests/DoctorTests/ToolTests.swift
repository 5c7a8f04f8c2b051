import DeploymentSimulator
import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `doctor on tools` {
  /// A directory with programs that say what a test wants to hear.
  private func tools(_ desk: Desk, _ scripts: [String: String]) throws -> [String: String] {
    let folder = "\(desk.directory)/tools"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (name, text) in scripts { try desk.script(text, at: "\(folder)/\(name)") }
    return try desk.path(desk.install(), folder)
  }

  /// `systemctl --user show` for a timer and its service.
  private func systemctl(_ timer: String, _ service: String = "Result=success") -> String {
    """
    case "$*" in
    *enable*) touch "$0.enabled" ;;
    *refresh.timer*)
      printf '\(timer)\\n'
      test -e "$0.enabled" && echo ActiveState=active ;;
    *) printf 'LoadState=loaded\\n\(service)\\n' ;;
    esac
    exit 0
    """
  }

  @Test func `finds that the timer is off, and switches it on once asked`() throws {
    try Desk.with { desk in
      let loaded = "LoadState=loaded\\nActiveState=inactive\\nLastTriggerUSec=n/a"
      let off = try tools(desk, ["systemctl": systemctl(loaded)])
      let found = try desk.doctor(environment: off).expect(
        "timer", "warning", saying: "not switched on",
        fix: "systemctl --user enable --now coder-cred-refresh.timer")
      #expect(found.isRepairable)
      try desk.repair("Switch coder-cred-refresh.timer on", environment: off)
      try desk.doctor(environment: off).expect("timer", "ok", saying: "it has not run yet")
    }
  }

  @Test func `tells when the timer ran, and that it failed or runs nothing`() throws {
    try Desk.with { desk in
      let on = "LoadState=loaded\\nActiveState=active\\nLastTriggerUSec=Thu 2026-11-26 01:00:00 UTC"
      try desk.doctor(environment: tools(desk, ["systemctl": systemctl(on)])).expect(
        "timer", "ok", saying: "last run Thu 2026-11-26 01:00:00 UTC")
      let failed = systemctl(on, "Result=exit-code\\nExecMainStatus=70")
      let report = try desk.doctor(environment: tools(desk, ["systemctl": failed]))
      try report.expect("timer", "failure", saying: "status 70", fix: "systemctl --user status")
      #expect(report.result.status == 75)
      let gone = systemctl(on, "ExecStart={ path=/nowhere/coder-cred ; argv[]=x }")
      try desk.doctor(environment: tools(desk, ["systemctl": gone])).expect(
        "timer", "failure", saying: "/nowhere/coder-cred, which is not there",
        fix: "systemctl --user edit")
      try desk.doctor(environment: tools(desk, ["systemctl": systemctl(on)])).expect("timer", "ok")
    }
  }

  @Test func `finds that cron does not find coder-cred, and prints the line that works`() throws {
    try Desk.with { desk in
      let none = ["systemctl": "exit 1", "crontab": "exit 1"]
      let fix =
        try desk.doctor(environment: tools(desk, none)).expect(
          "timer", "warning", saying: "nothing refreshes"
        ).fix ?? ""
      let line = try #require(fix.split(separator: "\n").last)
      #expect(line.contains("\(desk.program) refresh --due"))
      // On a terminal, too, it is one that can be pasted.
      try desk.withTerminal(["doctor"], environment: tools(desk, none)) { terminal in
        try terminal.expect(String(line))
        _ = terminal.end()
      }
      let bare = "echo '*/10 * * * * coder-cred refresh --due'"
      if !FileManager.default.fileExists(atPath: "/usr/bin/coder-cred") {
        try desk.doctor(environment: tools(desk, ["systemctl": "exit 1", "crontab": bare])).expect(
          "timer", "failure", saying: "cron does not find coder-cred", fix: String(line))
      }
      let works = ["systemctl": "exit 1", "crontab": "echo '\(line)'"]
      try desk.doctor(environment: tools(desk, works)).expect("timer", "ok", saying: "cron")
      // The line is a command: without anything else of the environment it does its work.
      let command = line.split(separator: " ", maxSplits: 5).last.map(String.init) ?? ""
      let run = try desk.runAsCron(command)
      #expect(run.status == 0, "\(run.stderr)")
    }
  }

  @Test func `finds that git does not find coder-cred`() throws {
    try Desk.with { desk in
      try desk.doctor().expect("git", "ok", saying: "does not ask coder-cred")
      try desk.run("git", ["config", "--global", "credential.helper", "coder-cred"])
      try desk.doctor(environment: desk.path()).expect(
        "git", "failure", saying: "does not find git-credential-coder-cred",
        fix: "ln -s coder-cred ")
      try desk.doctor().expect("git", "ok", saying: "asks coder-cred first")
    }
  }

  @Test
  func `finds that git asks another helper first where nobody is signed in, until it is gone`()
    throws
  {
    try Desk.with { desk in
      for helper in ["cache", "coder-cred"] {
        try desk.run("git", ["config", "--global", "--add", "credential.helper", helper])
      }
      let line = try desk.doctor().expect(
        "git", "warning", saying: "it asks “cache” before coder-cred:")
      // The editor that the command opens takes the line out.
      let mended = try desk.doctor(
        after: line.fix ?? "", environment: ["GIT_EDITOR": "sed -i /cache/d"])
      try mended.expect("git", "ok", saying: "asks coder-cred first")
    }
  }

  @Test func `is at ease where there is no git`() throws {
    try Desk.with { desk in
      try desk.doctor(environment: ["PATH": desk.install()]).expect(
        "git", "ok", saying: "not installed")
    }
  }

  @Test func `has the name that git looks for made where the programs are`() throws {
    try Desk.with { desk in
      let folder = "\(desk.directory)/bin"
      let copied = try desk.desktop.run(
        "/bin/sh",
        ["-c", "mkdir \"$0\" && cp \"$1\" \"$2\" \"$0\"", folder, desk.program, desk.fullProgram])
      try #require(copied.status == 0)
      try desk.run("git", ["config", "--global", "credential.helper", "coder-cred"])
      let path = desk.path(folder)
      let program = "\(folder)/coder-cred"
      let line = try desk.doctor(program: program, environment: path).expect(
        "git", "failure", saying: "does not find git-credential-coder-cred")
      try desk.doctor(after: line.fix ?? "", environment: path).expect(
        "git", "ok", saying: "asks coder-cred first")
    }
  }

  @Test func `finds that git asks another helper first, and shows nothing of its command`() throws {
    try Desk.withSession { desk in
      for helper in ["store", "!f() { echo password=\(desk.plant()); }; f"] {
        try desk.run("git", ["config", "--global", "--unset-all", "credential.helper"])
        for helper in [helper, "coder-cred"] {
          try desk.run("git", ["config", "--global", "--add", "credential.helper", helper])
        }
        let line = try desk.doctor().expect(
          "git", "warning", saying: "before coder-cred for \(desk.url)")
        #expect(line.message.contains(helper == "store" ? "“store”" : "“a shell command”"))
        let fix = try desk.run("/bin/sh", ["-c", line.fix ?? "exit 1"])
        #expect(fix.status == 0, "\(fix.stderr)")
        try desk.doctor().expect("git", "ok", saying: "asks coder-cred first")
        try desk.run("git", ["config", "--global", "--remove-section", "credential.\(desk.url)"])
      }
      desk.expectSecret(in: "\(desk.directory)/home/.gitconfig")
    }
  }

  @Test func `finds the Coder CLI's token in its file, and takes it over once asked`() throws {
    try Desk.with { desk in
      try desk.doctor().expect("Coder CLI", "ok")
      let file = "\(desk.directory)/config/coderv2/session"
      try desk.write(desk.url, to: "\(desk.directory)/config/coderv2/url")
      try desk.write(desk.deployment.session(user: "alice"), to: file)
      desk.expectSecret(in: file)
      let found = try desk.doctor().expect(
        "Coder CLI", "warning", saying: "readable by every program",
        fix: "coder-cred import --remove")
      #expect(found.isRepairable)
      try desk.repair("Take over the Coder CLI's token")
      #expect(!FileManager.default.fileExists(atPath: file))
      try desk.doctor().expect("Coder CLI", "ok")
      try desk.doctor().expect("session", "ok", saying: "alice at \(desk.url): its token works")
    }
  }
}
