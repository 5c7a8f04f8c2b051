import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Real and faked clients that are run as their users run them.
@Suite(.blocking) struct `A client` {
  private func bash(
    _ desk: Desk, _ script: String, environment: [String: String]
  ) throws -> CommandResult {
    try desk.run("bash", ["-c", script], environment: environment.merging(["U": desk.url]) { $1 })
  }

  @Test func `curl takes the field from a configuration, or from lines`() throws {
    try Desk.withSession { desk in
      let environment = try desk.path(desk.installNames())
      for form in [
        "-K <(coder-cred header \"$U\" --format curl)",
        "-H @<(coder-cred header \"$U\" --format lines)",
        "-H @<(coder-cred header \"$U\" --format cookie)",
        "-H \"Authorization: $(coder-cred header \"$U\" --format authorization)\"",
      ] {
        let result = try bash(
          desk, "curl -sS \(form) \"$U/api/v2/users/me\"", environment: environment)
        #expect(result.status == 0 && result.stdout.contains("\"alice\""), "\(form): \(result)")
      }
    }
  }

  @Test func `curl's configuration is one field, whatever the token holds`() throws {
    try Desk.with { desk in
      let environment = try desk.path(desk.installNames())
      let server = try FakeServer(.openai, desk, secret: desk.plant(#""-o\x"=#'"#))
      try desk.storeToken(server.secret, at: server.url)
      let result = try desk.run(
        "bash",
        [
          "-c",
          "curl -sS -K <(coder-cred header \"$U\" --format curl) \"$U/api/v2/aibridge/openai/v1/responses\"",
        ], environment: environment.merging(["U": server.url]) { $1 })
      #expect(result.status == 0 && result.stdout.contains("pong"), "\(result.stderr)")
    }
  }

  /// The Coder CLI as its sources have it: `sh -c` with CODER_URL, lines of name and value, split at
  /// the first equals sign, and a failure for an empty line or another status than 0.
  private static let coder = """
    import os, subprocess, sys, urllib.request
    url, fields = os.environ["CODER_URL"], {}
    command = os.environ.get("CODER_HEADER_COMMAND")
    if command:
        output = subprocess.run(["sh", "-c", command], stdin=subprocess.DEVNULL,
                                capture_output=True, check=True).stdout.decode()
        for line in output.removesuffix("\\n").split("\\n") if output else []:
            name, equals, value = line.partition("=")
            if not name or not equals or " " in name:
                sys.exit("malformed: " + name)
            fields[name] = value
    token = os.environ.get("CODER_SESSION_TOKEN")
    if token:
        fields["Coder-Session-Token"] = token
    request = urllib.request.Request(url + "/api/v2/users/me", headers=fields)
    print(urllib.request.urlopen(request).read().decode(), sys.argv[1:])
    """

  private func installCoder(_ desk: Desk, _ bin: String) throws {
    try desk.write(Self.coder, to: "\(desk.directory)/coder.py")
    try desk.script("exec python3 '\(desk.directory)/coder.py' \"$@\"", at: "\(bin)/coder")
  }

  @Test func `the Coder CLI is served by the header command, by exec, and by its shell function`()
    throws
  {
    try Desk.withSession { desk in
      let bin = try desk.installNames()
      try installCoder(desk, bin)
      var environment = desk.path(bin)
      environment["SHELL"] = "/bin/bash"
      let configured = try desk.run(["configure", "coder"], environment: environment)
      #expect(configured.status == 0, "\(configured.stderr)")
      for script in [
        "CODER_URL=$U CODER_HEADER_COMMAND='coder-cred header' coder list 'a b'",
        "coder-cred exec -- coder list 'a b'", ". \"$HOME/.bashrc\"; coder list 'a b'",
      ] {
        let result = try bash(desk, script, environment: environment)
        #expect(result.status == 0, "\(script): \(result.stderr)")
        #expect(result.stdout.contains("\"alice\"") && result.stdout.contains("['list', 'a b']"))
      }
      // For a deployment that is not ours the command says nothing, which stops nobody.
      let other = try desk.anotherDeployment()
      defer { other.stop() }
      let foreign = try desk.run(
        "sh", ["-c", "coder-cred header"],
        environment: environment.merging(["CODER_URL": other.url]) { $1 })
      expectSilence(foreign)
    }
  }

  @Test func `pnpm's token helper gets one value on one line`() throws {
    try Desk.withSession { desk in
      // It takes an absolute path without arguments, so a script stands between.
      let bin = try desk.installNames()
      let helper = try desk.script(
        "exec coder-cred header '\(desk.url)' --format authorization", at: "\(bin)/token-helper")
      let result = try desk.run(helper, [], environment: desk.path(bin))
      #expect(try result.stdout == "Bearer \(desk.token())\n")
    }
  }

  @Test func `git finds its helper by the name that configure writes`() throws {
    try Desk.withSession { desk in
      let environment = try desk.path(desk.installNames())
      for more in [[], ["--url", desk.url]] {
        let configured = try desk.run(["configure", "git"] + more, environment: environment)
        #expect(configured.status == 0, "\(configured.stderr)")
        let filled = try desk.run(
          "git", ["credential", "fill"], input: desk.request(),
          environment: environment.merging(["GIT_TERMINAL_PROMPT": "0"]) { $1 })
        #expect(filled.status == 0, "\(filled.stderr)")
        #expect(try filled["password"] == desk.token())
      }
    }
  }
}
