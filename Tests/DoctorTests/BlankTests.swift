import Foundation
import TestDesk
import Testing

/// Commands that name a path are pasted into a shell as they are printed.
@Suite(.blocking) struct `doctor where paths have blanks and quotation marks` {
  /// The programs, copied to where a shell needs care to find them.
  private func install(_ desk: Desk) throws -> (folder: String, program: String) {
    let folder = "\(desk.directory)/my 'own' tools; $HOME"
    let copied = try desk.desktop.run(
      "/bin/sh",
      ["-c", "mkdir \"$0\" && cp \"$1\" \"$2\" \"$0\"", folder, desk.program, desk.fullProgram])
    try #require(copied.status == 0)
    return (folder, "\(folder)/coder-cred")
  }

  @Test func `names the directory of the programs so that a shell takes it`() throws {
    try Desk.with { desk in
      let (folder, program) = try install(desk)
      let system = desk.path()
      let missing = try desk.doctor(program: program, environment: system).expect(
        "programs", "warning", saying: "no directory in PATH")
      try desk.doctor(after: missing.fix ?? "", environment: system).expect("programs", "ok")
      try desk.run("git", ["config", "--global", "credential.helper", "coder-cred"])
      let unnamed = try desk.doctor(program: program, environment: desk.path(folder)).expect(
        "git", "failure", saying: "does not find git-credential-coder-cred")
      try desk.doctor(after: unnamed.fix ?? "", environment: desk.path(folder)).expect(
        "git", "ok", saying: "asks coder-cred first")
    }
  }

  @Test func `prints a line for cron that does its work, and is found again`() throws {
    try Desk.with { desk in
      let (folder, program) = try install(desk)
      let tools = "\(desk.directory)/tools"
      try FileManager.default.createDirectory(atPath: tools, withIntermediateDirectories: true)
      try desk.script("exit 1", at: "\(tools)/systemctl")
      try desk.script("cat '\(desk.directory)/crontab' 2>/dev/null", at: "\(tools)/crontab")
      let path = desk.path(folder, tools)
      let fix =
        try desk.doctor(program: program, environment: path).expect(
          "timer", "warning", saying: "nothing refreshes"
        ).fix ?? ""
      let line = try #require(fix.split(separator: "\n").last)
      let command = line.split(separator: " ", maxSplits: 5).last.map(String.init) ?? ""
      let run = try desk.runAsCron(command)
      #expect(run.status == 0, "\(run.stderr)")
      try desk.write("\(line)\n", to: "\(desk.directory)/crontab")
      try desk.doctor(program: program, environment: path).expect("timer", "ok", saying: "cron")
    }
  }

  @Test func `names files below the home, and elsewhere, so that a shell takes them`() throws {
    try Desk.with { desk in
      for folder in ["\(desk.directory)/home/my 'own' $HOME", "\(desk.directory)/my settings"] {
        let variables = ["XDG_CONFIG_HOME": folder]
        let file = "\(folder)/coder-cred/config"
        try desk.write("[coder-cred]\nrefresh-margin=5\n", to: file)
        chmod(file, 0o666)
        let line = try desk.doctor(environment: variables).expect(
          "settings", "failure", saying: "other users may write")
        try desk.doctor(after: line.fix ?? "", environment: variables).expect(
          "settings", "ok", saying: "1 in ")
      }
      let runtime = ["XDG_RUNTIME_DIR": "\(desk.directory)/my run"]
      try FileManager.default.createDirectory(
        atPath: "\(desk.directory)/my run/coder-cred", withIntermediateDirectories: true)
      chmod("\(desk.directory)/my run", 0o700)
      chmod("\(desk.directory)/my run/coder-cred", 0o777)
      let open = try desk.doctor(environment: runtime).expect(
        "runtime directory", "failure", saying: "others may write")
      try desk.doctor(after: open.fix ?? "", environment: runtime).expect(
        "runtime directory", "ok")
    }
  }
}
