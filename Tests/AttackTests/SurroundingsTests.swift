import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// What stands beside a process: its variables, its working directory, the files where processes meet.
@Suite(.blocking) struct `The surroundings of a process` {
  /// A token that a workspace or a workflow puts into the environment is for one server alone.
  @Test func `give a token in a variable to no server`() throws {
    try Desk.with { desk in
      let variables = [
        "CODER_SESSION_TOKEN": desk.plant(), "GITHUB_TOKEN": desk.plant(), "GH_TOKEN": desk.plant(),
        "CODER_URL": desk.url, "GIT_ASKPASS": "/bin/echo",
      ]
      for host in ["evil.test", "github.com", "127.0.0.1:\(desk.deployment.port)"] {
        for request in ["protocol=https\nhost=\(host)\n\n", "url=https://\(host)/x\n\n"] {
          let asked = try desk.run(["get"], input: request, environment: variables)
          #expect(asked.output.isEmpty && asked.status == 0, "\(host): \(asked.stderr)")
        }
        for verb in ["token", "header"] {
          let named = try desk.run([verb, "https://\(host)"], environment: variables)
          #expect(!desk.canary.isIn(named.output), "\(verb) \(host)")
        }
      }
      #expect(desk.deployment.requests.isEmpty)
    }
  }

  /// A clone of a hostile repository is the working directory of whoever works in it.
  @Test(arguments: ["", ".:", ":"])
  func `run no program of the working directory`(path: String) throws {
    try Desk.withSession { desk in
      let repository = "\(desk.directory)/repository"
      try FileManager.default.createDirectory(
        atPath: "\(repository)/libexec/coder-cred", withIntermediateDirectories: true)
      let marker = "\(desk.directory)/ran"
      for name in [
        "xdg-open", "git", "secret-tool", "coder-cred-engine",
        "libexec/coder-cred/coder-cred-engine",
        "gdbus", "dbus-launch", "systemctl", "qrencode", "xdg-mime", "sh", "wslview", "coder",
      ] {
        try desk.script("echo \"$0\" >>\(marker)", at: "\(repository)/\(name)")
      }
      try desk.write(
        "[coder-cred]\ndefault-deployment=https://evil.test\n", to: "\(repository)/config")
      let environment = [
        "PATH": "\(path)/usr/bin:/bin", "DISPLAY": ":77", "BROWSER": "",
      ]
      for arguments in [
        ["token"], ["get", desk.url], ["refresh", desk.url], ["status", "--check", desk.url],
        ["doctor"], ["configure", "git", "--print"], ["list"],
        ["login", desk.url, "--method", "token"], ["--generate-completion-script", "bash"],
      ] {
        _ = try desk.desktop.run(
          desk.program, arguments, input: Array("x\n".utf8), environment: environment,
          directory: repository)
      }
      // A sign-in looks for a browser.
      let login = try desk.desktop.start(
        desk.program, ["login", desk.url, "--method", "oauth"], environment: environment,
        directory: repository, log: "\(desk.directory)/login")
      waitFor("the sign-in to wait") {
        let text = FileManager.default.contents(atPath: "\(desk.directory)/login") ?? Data()
        return String(decoding: text, as: UTF8.self).contains("Waiting ") || login.exit != nil
      }
      desk.desktop.end(login)
      #expect(!FileManager.default.fileExists(atPath: marker), "\(path)")
    }
  }

  /// Whoever else may write where processes meet could hold them up, or have them write elsewhere.
  @Test(arguments: [
    "ln -s \"$1\" \"$0\"", "mkfifo \"$0\"", "touch \"$0\"", "mkdir -m 777 \"$0\"",
    "mkdir -m 500 \"$0\"", "ln -s /nowhere \"$0\"", "ln -s /dev \"$0\"",
  ])
  func `lead no lock elsewhere`(making: String) throws {
    try Desk.withSession { desk in
      let place = "\(desk.directory)/run/coder-cred"
      try FileManager.default.removeItem(atPath: place)
      let elsewhere = "\(desk.directory)/elsewhere"
      try FileManager.default.createDirectory(atPath: elsewhere, withIntermediateDirectories: true)
      #expect(try desk.desktop.run("/bin/sh", ["-c", making, place, elsewhere]).status == 0)
      try desk.age()
      let result = try desk.run(["token", desk.url])
      #expect(result.status == 0, "\(making): \(result.stderr)")
      #expect(desk.deployment.refreshes.count == 1)
      #expect(try FileManager.default.contentsOfDirectory(atPath: elsewhere).isEmpty)
    }
  }

  @Test(arguments: [
    "ln -s \"$1\" \"$0\"", "mkfifo \"$0\"", "mkdir \"$0\"", "ln -s /dev/zero \"$0\"",
  ])
  func `put nothing in the place of a lock that is obeyed or waited for`(making: String) throws {
    try Desk.withSession { desk in
      try desk.age()
      // The first refresh makes the file.
      #expect(try desk.run(["refresh", desk.url]).status == 0)
      let lock = try #require(try desk.runtimeFiles(".lock").first)
      let victim = "\(desk.directory)/victim"
      try desk.write("as it was", to: victim)
      try FileManager.default.removeItem(atPath: lock)
      #expect(try desk.desktop.run("/bin/sh", ["-c", making, lock, victim]).status == 0)
      try desk.age()
      try desk.desktop.expectUnchangedItems(making) {
        let result = try desk.run(["refresh", desk.url])
        #expect(result.status != 0 && result.messages.count <= 3, "\(making): \(result.stderr)")
        #expect(desk.deployment.refreshes.isEmpty)
      }
      #expect(try String(contentsOfFile: victim, encoding: .utf8) == "as it was")
    }
  }
}
