import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Callers of all kinds, with what they write and in what surroundings they call.
@Suite(.blocking) struct `A caller` {
  /// What clients that are not git itself write to `get`; `HOST` stands for the deployment's.
  struct Client: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let input: String
  }

  static let clients = [
    Client(testDescription: "libgit2's, in cargo", input: "protocol=http\nhost=HOST\n"),
    Client(
      testDescription: "libgit2's, with a name",
      input: "protocol=http\nhost=HOST\nusername=alice\n"),
    Client(
      testDescription: "gitoxide", input: "url=http://HOST/group/x.git\nprotocol=http\nhost=HOST\n"),
    Client(testDescription: "R's gitcreds", input: "protocol=http\nhost=HOST\n\n"),
    Client(testDescription: "Go's GOAUTH=git", input: "url=http://HOST\n"),
    Client(
      testDescription: "git-lfs",
      input: "protocol=http\nhost=HOST\npath=group/x.git\nwwwauth[]=Basic realm=\"x\"\n"),
    Client(
      testDescription: "a git of later", input: "capability[]=later\nlater=1\nurl=http://HOST\n\n"),
    Client(testDescription: "Windows' line ends", input: "protocol=http\r\nhost=HOST\r\n\r\n"),
  ]

  @Test(arguments: clients)
  func `is given the password whatever it writes besides`(client: Client) throws {
    try Desk.withSession { desk in
      let token = try desk.token()
      let host = "127.0.0.1:\(desk.deployment.port)"
      for program in [desk.program, desk.fullProgram] {
        let got = try desk.run(
          program, ["get"], input: client.input.replacingOccurrences(of: "HOST", with: host))
        #expect(got.status == 0 && got.errors.isEmpty, "\(got.stderr)")
        #expect(got["password"] == token && got["username"] == "alice", "\(got)")
      }
    }
  }

  @Test func `may have no more than the bus in its environment`() throws {
    try Desk.withSession { desk in
      let token = try desk.token()
      let bus = "DBUS_SESSION_BUS_ADDRESS=\(desk.desktop.busAddress)"
      for program in [desk.program, desk.fullProgram] {
        let result = try desk.run("env", ["-i", bus, program, "token", desk.url])
        #expect(result.stdout == token + "\n" && result.errors.isEmpty, "\(result.stderr)")
      }
      // Nothing at all leads nowhere, with a word.
      let nothing = try desk.run("env", ["-i", desk.program, "token", desk.url])
      expectFailure(nothing, 69)
    }
  }

  @Test func `may stand in a directory that is gone`() throws {
    try Desk.withSession { desk in
      let token = try desk.token()
      try desk.age()
      let script = "mkdir \"$1\"; cd \"$1\"; rmdir \"$1\"; exec \"$2\" token \"$3\""
      let folder = "\(desk.directory)/gone"
      let refreshed = try desk.run("/bin/sh", ["-c", script, "sh", folder, desk.program, desk.url])
      #expect(refreshed.status == 0 && refreshed.errors.isEmpty, "\(refreshed.stderr)")
      #expect(refreshed.stdout != token + "\n")
      let cached = try desk.run("/bin/sh", ["-c", script, "sh", folder, desk.program, desk.url])
      #expect(cached.stdout == refreshed.stdout)
    }
  }

  @Test(arguments: [
    "token \"$1\"", "get \"$1\"", "header \"$1\"", "header --format json \"$1\"",
    "exec --url \"$1\" -- printenv CODER_SESSION_TOKEN", "api users/me --url \"$1\"",
  ])
  func `may hold standard input open, from which nothing is read`(words: String) throws {
    try Desk.withSession { desk in
      for program in [desk.program, desk.fullProgram] {
        // The pipe has a writer as long as the shell's descriptor is open.
        let script = "mkfifo \"$2\"; exec 3<>\"$2\"; \"$0\" \(words) <&3"
        let result = try desk.run(
          "/bin/sh", ["-c", script, program, desk.url, "\(desk.directory)/\(UUID().uuidString)"])
        #expect(result.status == 0 && !result.output.isEmpty, "\(result.stderr)")
      }
    }
  }

  @Test func `of get may hold standard input open after the empty line`() throws {
    try Desk.withSession { desk in
      let token = try desk.token()
      for program in [desk.program, desk.fullProgram] {
        let script = "mkfifo \"$1\"; exec 3<>\"$1\"; cat >&3; \"$0\" get <&3"
        let result = try desk.run(
          "/bin/sh", ["-c", script, program, "\(desk.directory)/\(UUID().uuidString)"],
          input: desk.request())
        #expect(result["password"] == token, "\(result.stderr)")
      }
    }
  }

  /// `configure coder` and people write it so; the editors run it by a shell, for each request.
  @Test(arguments: [
    "coder-cred header", "coder-cred header --format coder", "'coder-cred' 'header'",
  ])
  func `of an editor's header command gets one line, and nothing for another server`(
    command: String
  ) throws {
    try Desk.withSession { desk in
      let token = try desk.token()
      var environment = try desk.path(desk.installNames())
      environment["CODER_URL"] = desk.url
      let result = try desk.run("/bin/sh", ["-c", command], environment: environment)
      #expect(result.stdout == "Authorization=Bearer \(token)\n" && result.errors.isEmpty)
      // In a line of ssh's configuration, where it stands in single quotes once more.
      let quoted = "'" + command.replacing("'", with: #"'\''"#) + "'"
      let nested = try desk.run(
        "/bin/sh", ["-c", "exec /bin/sh -c \(quoted)"], environment: environment)
      #expect(nested.stdout == result.stdout, "\(nested.stderr)")
      environment["CODER_URL"] = "https://other.example.com"
      expectSilence(try desk.run("/bin/sh", ["-c", command], environment: environment))
    }
  }

  @Test(arguments: [
    ("credential.helper", "coder-cred"), ("credential.helper", "PROGRAM --min-ttl 5"),
    ("credential.helper", "!f() { coder-cred --account=alice \"$@\"; }; f"),
    ("credential.http://127.0.0.1:PORT.helper", "coder-cred"),
    ("credential.http://*.0.0.1:PORT.helper", "coder-cred"),
  ])
  func `that is git may name us in any of its ways`(setting: String, helper: String) throws {
    try Desk.withSession { desk in
      let environment = try desk.path(desk.installNames()).merging(["GIT_TERMINAL_PROMPT": "0"]) {
        $1
      }
      let name = setting.replacing("PORT", with: "\(desk.deployment.port)")
      let program = helper.replacing("PROGRAM", with: desk.program)
      let filled = try desk.run(
        "git", ["-c", "\(name)=\(program)", "credential", "fill"], input: desk.request(),
        environment: environment)
      #expect(try filled["password"] == desk.token(), "\(filled.stderr)")
    }
  }
}
