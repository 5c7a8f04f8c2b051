import DeploymentSimulator
import TestDesk
import Testing

/// What people write into their scripts.
@Suite(.blocking) struct `A script` {
  private func expectAlice(_ result: CommandResult, _ desk: Desk) {
    #expect(result.status == 0 && result.stdout.contains("alice"), "\(result.stderr)")
    // One request, and it is the script's.
    #expect(desk.deployment.requests.count == 1)
  }

  @Test func `gives curl a header on its standard input`() throws {
    try Desk.withSession { desk in
      let result = try desk.run(
        "/bin/sh",
        [
          "-c", "\"$0\" header \"$1\" --format lines | curl -sSf -H @- \"$1/api/v2/users/me\"",
          desk.program, desk.url,
        ])
      expectAlice(result, desk)
    }
  }

  @Test func `calls it from Python as a subprocess`() throws {
    try Desk.withSession { desk in
      let script = """
        import json, subprocess, sys, urllib.request
        program, url = sys.argv[1:]
        token = subprocess.run(
            [program, "token", url], check=True, capture_output=True, text=True).stdout.strip()
        request = urllib.request.Request(
            url + "/api/v2/users/me", headers={"Authorization": "Bearer " + token})
        print(json.load(urllib.request.urlopen(request, timeout=20))["username"])
        """
      let result = try desk.run("/usr/bin/python3", ["-c", script, desk.program, desk.url])
      expectAlice(result, desk)
    }
  }

  @Test func `in Python learns why there is no token`() throws {
    try Desk.with { desk in
      let script = """
        import subprocess, sys
        done = subprocess.run(sys.argv[1:], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        print(done.returncode, repr(done.stdout), done.stderr.splitlines()[-1])
        """
      let result = try desk.run(
        "/usr/bin/python3", ["-c", script, desk.program, "token", desk.url])
      #expect(result.stdout == "1 '' coder-cred: hint: coder-cred login \(desk.url)\n")
    }
  }
}
