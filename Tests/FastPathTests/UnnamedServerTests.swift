import TestDesk
import Testing

/// Who names a server gets a credential for exactly that server, or none.
@Suite struct `A server for which nothing is stored gets no token` {
  static let verbs: [[String]] = [
    ["get"], ["get", "--format=json"], ["token"], ["token", "--account=alice"], ["header"],
    ["header", "--format=json"],
  ]
  static let servers = [
    "https://mcp.elsewhere.example/mcp", "https://fresh.example:8443/api/experimental/mcp/http",
    "http://fresh.example/mcp", "https://elsewhere.example/fresh.example?u=https://fresh.example",
    "https://fresh.example@elsewhere.example/", " ",
  ]

  @Test(arguments: ["CLAUDE_CODE_MCP_SERVER_URL", "CODER_URL", "argument", "setting", "request"])
  func `however it is named`(way: String) throws {
    try Desk.with { desk in
      try desk.store("https://fresh.example")
      for server in Self.servers {
        if way == "setting" { try desk.configure("default-deployment=\(server)") }
        var requests: [Invocation] = []
        for verb in Self.verbs {
          var request = Invocation(arguments: verb)
          switch way {
          case "argument": request.arguments.append(server)
          case "request": request.input = "url=\(server)\n\n"
          case "setting": break
          default: request.environment = [way: server]
          }
          // get without a URL asks for what stands on standard input.
          if verb[0] == "get", ["argument", "request"].contains(way) == false { continue }
          if verb[0] != "get", way == "request" { continue }
          requests.append(request)
        }
        for request in requests {
          let fast = try desk.call(desk.program, request)
          let full = try desk.call(desk.fullProgram, request)
          for result in [fast, full] {
            #expect(!result.stdout.contains(storedToken), "\(request)")
            #expect(!result.stderr.contains(storedToken), "\(request)")
          }
          #expect(fast.output == full.output && fast.status == full.status, "\(request)")
        }
      }
    }
  }

  @Test(arguments: [
    ("https://fresh.example", true), ("https://fresh.example/api/experimental/mcp/http", true),
    ("https://fresh.example/mcp?x=1#y", true), (" https://fresh.example\n", true),
    ("https://FRESH.example:443/a/b/c/d/e/f/g/h/i/j/k", true),
    ("https://fresh.example:444/", false),
    ("https://other.example/mcp", false),
  ])
  func `while one below a deployment gets the deployment's`(url: String, isServed: Bool) throws {
    try Desk.with { desk in
      try desk.store("https://fresh.example")
      try desk.store("https://default.example")
      try desk.configure("default-deployment=https://default.example")
      let environment = [
        "CLAUDE_CODE_MCP_SERVER_URL": url, "CODER_URL": "https://default.example",
      ]
      let request = Invocation(
        arguments: ["header", "--format", "json"], environment: environment)
      let result = try desk.call(desk.program, request)
      #expect(
        result.stdout == (isServed ? "{\"Authorization\":\"Bearer \(storedToken)\"}\n" : "{}\n"))
      #expect(result.status == 0 && result.errors.isEmpty)
      try desk.expectSameOutput([request])
      // An argument is named more precisely still.
      let named = Invocation(
        arguments: ["token", "https://default.example"], environment: environment)
      #expect(try desk.call(desk.program, named).stdout == "\(storedToken)\n")
    }
  }
}
