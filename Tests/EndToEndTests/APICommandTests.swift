import DeploymentSimulator
import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `api` {
  @Test func `GET prints the body, and needs no method`() throws {
    try Desk.withSession { desk in
      for words in [["/api/v2/users/me"], ["GET", "/api/v2/users/me"]] {
        let result = try desk.run(["api"] + words)
        #expect(result.status == 0, "\(result.stderr)")
        #expect(result.stdout.contains(#""username":"alice""#))
        #expect(result.errors.isEmpty)
      }
    }
  }

  @Test(arguments: ["//api/v2/users/me", "/api//v2///users/me?x=//", "//api/v2/users//me"])
  func `Slashes that follow one another are one`(path: String) throws {
    try Desk.withSession { desk in
      let result = try desk.run(["api", path])
      #expect(result.status == 0 && result.stdout.contains(#""username":"alice""#))
      let request = try #require(desk.deployment.requests.last)
      #expect(request.path == "/api/v2/users/me")
      #expect(request.query["x"] == (path.contains("?") ? "//" : nil))
    }
  }

  @Test func `A body comes from a file or standard input, and survives a refused token`() throws {
    try Desk.withSession { desk in
      let path = "\(desk.directory)/body"
      let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      for isRefused in [false, true] {
        if isRefused { desk.deployment.revokeAccessTokens() }
        let file = try desk.run(["api", "POST", "/api/v2/debug/echo", "--input", path])
        #expect(file.status == 0, "\(file.stderr)")
        #expect(file.output == bytes)
        try desk.forgetFailures()
        if isRefused { desk.deployment.revokeAccessTokens() }
        let pipe = try desk.run(
          ["api", "/api/v2/debug/echo", "--input", "-", "-H", "Content-Type: text/x"], input: "hey")
        #expect(pipe.stdout == "hey", "\(pipe.stderr)")
        let request = desk.deployment.requests.last { $0.path == "/api/v2/debug/echo" }
        #expect(request?.method == "POST" && request?.headers["content-type"] == "text/x")
      }
      #expect(desk.deployment.refreshes.count == 2)
    }
  }

  @Test func `A 401 causes one refresh; a second one is final`() throws {
    try Desk.withSession { desk in
      desk.deployment.inject(.status(401, body: "first"), at: .account)
      let once = try desk.run(["api", "/api/v2/users/me"])
      #expect(once.status == 0 && once.stdout.contains("alice") && !once.stdout.contains("first"))
      try desk.forgetFailures()
      desk.deployment.clearLog()
      desk.deployment.inject(.status(401, body: "no"), at: .account, times: 2)
      let twice = try desk.run(["api", "/api/v2/users/me"])
      #expect(twice.status == 1 && twice.stdout == "no")
      #expect(twice.stderr.contains("coder-cred login"))
      #expect(desk.deployment.refreshes.count == 1)
      // A moment later, the token is known to be a fresh one.
      desk.deployment.inject(.status(401, body: "again"), at: .account)
      let thrice = try desk.run(["api", "/api/v2/users/me"])
      #expect(thrice.status == 1 && thrice.stdout == "again")
      #expect(desk.deployment.refreshes.count == 1)
    }
  }

  @Test(
    arguments: [
      (403, 77), (404, 76), (409, 76), (429, 75), (500, 75), (503, 75), (302, 76), (204, 0),
    ] as [(Int, Int32)])
  func `The exit status tells the outcome, and the body is printed all the same`(
    status: Int, exit: Int32
  ) throws {
    try Desk.withSession { desk in
      let body = status == 204 ? "" : "what it said"
      desk.deployment.inject(
        .status(status, body: body, headers: ["Location": "http://192.0.2.1/"]), at: .account)
      let result = try desk.run(["api", "/api/v2/users/me"])
      #expect(result.status == exit)
      #expect(result.stdout == body)
      #expect(desk.deployment.requests.count == 1)
      #expect(exit == 0 || result.stderr.contains("HTTP \(status)"))
    }
  }

  @Test func `A download of any size needs the same memory`() throws {
    try Desk.withSession { desk in
      let script = """
        import resource, subprocess, sys
        done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE)
        size = len(done.stdout)
        print(size, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, done.returncode)
        """
      let figures = try [1_000, 10 << 20].map { count in
        let result = try desk.desktop.run(
          "/usr/bin/python3",
          ["-c", script, desk.program, "api", "/api/v2/debug/bytes?count=\(count)"])
        let numbers = result.stdout.split { " \n".contains($0) }.compactMap { Int($0) }
        #expect(numbers.count == 3 && numbers.first == count && numbers.last == 0)
        return numbers.count == 3 ? numbers[1] : 0
      }
      #expect(abs(figures[1] - figures[0]) < 4_096)
    }
  }

  @Test func `Ctrl-C ends it, and harms nothing`() throws {
    try Desk.withSession { desk in
      desk.deployment.inject(.drip(millisecondsPerByte: 20), at: .account)
      let child = try desk.start(["api", "/api/v2/users/me"])
      #expect(desk.deployment.wait { !$0.isEmpty })
      usleep(100_000)
      child.terminate(signal: SIGINT)
      #expect(child.waitForExit() == .signal(SIGINT))
      try desk.token()
    }
  }

  @Test func `The token goes to the deployment and to nobody else`() throws {
    try Desk.withSession { desk in
      for path in [
        "https://192.0.2.1/", "https:x", "/../x", "/a/%2e%2E/x", "/a b", "/a#b", "\\\\x",
      ] {
        let result = try desk.run(["api", "GET", path])
        #expect(result.status == 64, "\(path)")
      }
      #expect(try desk.run(["api", "get", "/x"]).status == 64)
      for field in ["Authorization: x", "cookie: x", "no colon", ": x"] {
        #expect(try desk.run(["api", "/x", "-H", field]).status == 64, "\(field)")
      }
      #expect(try desk.run(["api", "/x", "-H", "Host: evil.test"]).status == 65)
      #expect(try desk.run(["api", "/x", "--url", "https://other.example"]).status == 1)
      #expect(desk.deployment.requests.isEmpty)
    }
  }
}
