import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// What a person at a terminal is told by commands that are for tools.
@Suite(.blocking) struct `Tools' commands on a terminal` {
  @Test func `get says what it waits for`() throws {
    try Desk.withSession { desk in
      try desk.withTerminal(["get", "--format", "json", "--account", "bob"]) { terminal in
        try terminal.expect("such as url=https://dev.coder.com, up to an empty line")
        try terminal.expect("coder-cred get URL")
        terminal.type("url=\(desk.url)")
        terminal.type("")
        #expect(terminal.end() == .status(0))
      }
    }
  }

  @Test func `header of nothing says so, to a person alone`() throws {
    try Desk.with { desk in
      let words = "nobody is signed in to \(desk.url); to sign in: coder-cred login \(desk.url)"
      #expect(try desk.shown(["header", desk.url]) == "coder-cred: warning: \(words)\n")
      expectSilence(try desk.run(["header", desk.url]))
      // The README's line: standard output goes to curl, and a person sees the rest.
      let curl = "exec 3< <(\"$0\" header \"$1\" --format lines); cat <&3"
      let seen = try desk.shown(["-c", curl, desk.program, desk.url], by: "/bin/bash")
      #expect(seen.contains(words))
    }
  }

  @Test func `Signed out of a deployment that is configured, git says why it asks`() throws {
    try Desk.withSession { desk in
      #expect(try desk.run(["logout"]).status == 0)
      try desk.write("[\(desk.url)]\nrefresh-margin=90\n", to: desk.configuration)
      let repository = "\(desk.url)/r.git"
      let git = ["-c", "credential.helper=\(desk.program)", "ls-remote", repository]
      desk.deployment.inject(
        .status(401, headers: ["WWW-Authenticate": "Basic realm=\"git\""]), at: "GET /r.git*",
        times: 9)
      try desk.withTerminal("/usr/bin/git", git) { terminal in
        try terminal.expect("nobody is signed in to \(desk.url); to sign in:")
        try terminal.expect("coder-cred login \(desk.url)")
        try terminal.expect("Username for")
        terminal.pressControlC()
        _ = terminal.end()
      }
      // Another helper comes after us, and may know.
      let chain = ["-c", "credential.helper=\(desk.program)", "-c", "credential.helper=cache"]
      try desk.withTerminal("/usr/bin/git", chain + git.suffix(2)) { terminal in
        try terminal.expect("Username for")
        #expect(!terminal.transcript.contains("nobody is signed in"))
        terminal.pressControlC()
        _ = terminal.end()
      }
      let piped = try desk.run(
        "/usr/bin/git", git, environment: ["GIT_TERMINAL_PROMPT": "0"])
      #expect(!piped.stderr.contains("nobody is signed in"))
    }
  }

  @Test func `A server that is no deployment known here is asked for by git without a word`() throws
  {
    try Desk.with { desk in
      let git = ["-c", "credential.helper=\(desk.program)", "ls-remote", "\(desk.url)/r.git"]
      desk.deployment.inject(
        .status(401, headers: ["WWW-Authenticate": "Basic realm=\"git\""]), at: "GET /r.git*",
        times: 9)
      try desk.withTerminal("/usr/bin/git", git) { terminal in
        try terminal.expect("Username for")
        #expect(!terminal.transcript.contains("coder-cred"), "\(terminal.transcript)")
        terminal.pressControlC()
        _ = terminal.end()
      }
    }
  }

  @Test func `Lines break between words, and commands nowhere`() throws {
    try Desk.withSession { desk in
      try desk.desktop.lock()
      for arguments in [["token"], ["status"], ["doctor"]] {
        // Without a progress line, which a slow machine would show.
        let script = "stty rows 24 cols 60; TERM=dumb exec \"$0\" \(arguments[0])"
        let shown = try desk.shown(
          ["-c", script, desk.program], by: "/bin/sh",
          status: arguments == ["status"] ? 0 : 69)
        let command = "gnome-keyring-daemon --replace --daemonize --unlock --components=secrets)"
        #expect(shown.contains(command), "\(shown)")
        let lines = shown.replacing(/\u{1B}\[[0-9]*m/, with: "").split(separator: "\n")
        for line in lines where !line.contains(" --") {
          // What has no blank to break at stays whole.
          let words = line.split(separator: " ").map(\.count).max() ?? 0
          #expect(line.count <= 60 || words > 40, "\(line)")
        }
      }
    }
  }

  @Test(arguments: ["token", "get", "header"])
  func `An account without a name is refused in plain words`(verb: String) throws {
    try Desk.withSession { desk in
      let result = try desk.run([verb, "--account=", desk.url])
      expectFailure(result, 64, saying: "--account needs a name")
      #expect(result.message("hint") == "coder-cred \(verb) --help")
    }
  }

  @Test(arguments: [["token"], ["login"], ["api", "users/me", "--url"]])
  func `http is refused by what would happen`(command: [String]) throws {
    try Desk.with { desk in
      let result = try desk.run(command + ["http://dev.example.com"])
      expectFailure(
        result, 65, saying: "refusing http://dev.example.com: the token would be sent unencrypted")
    }
  }

  @Test func `coder-cred alone fits on a screen, and says how to begin`() throws {
    try Desk.with(.withoutBus) { desk in
      let result = try desk.run([])
      #expect(result.status == 0 && result.errors.isEmpty)
      let lines = result.stdout.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.count <= 23 && lines.allSatisfy { $0.count < 80 })
      #expect(result.stdout.contains("coder-cred login https://dev.coder.com"))
      // E15: what git needs a token for.
      #expect(result.stdout.contains("repositories that the deployment serves"))
      #expect(try desk.run(["--help"]).stdout.contains("USAGE:"))
    }
  }

  @Test(arguments: [
    (["status", "--nonsense"], "coder-cred status --help"),
    (["logout", "--all", "--account", "x"], "coder-cred logout --help"),
    (["--nonsense"], "coder-cred --help"),
  ])
  func `A wrong call is answered with the help that helps`(arguments: [String], hint: String) throws
  {
    try Desk.with(.withoutBus) { desk in
      let result = try desk.run(arguments)
      #expect(result.message("hint") == hint)
    }
  }

  @Test func `A full disk is no bad argument`() throws {
    try Desk.with { desk in
      try desk.configure("refresh-margin=90")
      let before = try String(contentsOfFile: desk.configuration, encoding: .utf8)
      // No file may grow, nor one of covered lines be written: what write(2) says then is EFBIG.
      let script = """
        export LLVM_PROFILE_FILE=/dev/null; trap '' XFSZ; ulimit -f 0
        exec "$0" use --force https://h.example
        """
      let result = try desk.desktop.run("/bin/bash", ["-c", script, desk.program])
      expectFailure(result, 75, saying: "cannot be written: File too large")
      #expect(result.message("hint")?.hasPrefix("make room there") == true)
      #expect(try String(contentsOfFile: desk.configuration, encoding: .utf8) == before)
      let folder = (desk.configuration as NSString).deletingLastPathComponent
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["config"])
    }
  }

  @Test func `Several deployments are named with the command that chooses one`() throws {
    try Desk.with { desk in
      let other = try desk.anotherDeployment()
      defer { other.stop() }
      try desk.login()
      try desk.login(to: other.url)
      let first = [desk.url, other.url].sorted()[0]
      expectFailure(try desk.run(["token"]), 64, saying: "coder-cred use \(first)")
      #expect(try desk.run(["use", first]).status == 0)
      #expect(try desk.run(["logout", first]).status == 0)
      #expect(try desk.run(["token"]).status == 0)
    }
  }
}
