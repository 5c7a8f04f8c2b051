import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// `api` as people know it from other programs.
@Suite(.blocking) struct `api, as people type it` {
  @Test(arguments: [
    "api/v2/users/me", "users/me", "/api/v2/users/me", "users/me?x=1", "//api//v2/users/me",
  ])
  func `A path needs no slash before it`(path: String) throws {
    try Desk.withSession { desk in
      let result = try desk.run(["api", path])
      #expect(result.status == 0, "\(result.stderr)")
      #expect(result.stdout.contains(#""username":"alice""#))
    }
  }

  @Test(arguments: [
    ["-X", "PUT"], ["-XPUT"], ["--method", "put"], ["--method=PUT"],
  ])
  func `-X names the method`(flags: [String]) throws {
    try Desk.withSession { desk in
      desk.deployment.respond(at: "PUT /api/v2/x", with: .init(json: "{}"))
      let result = try desk.run(["api", "/api/v2/x"] + flags)
      #expect(result.status == 0, "\(result.stderr)")
      #expect(desk.deployment.requests.last?.method == "PUT")
    }
  }

  /// Sends fields to an endpoint that answers with what it gets.
  private func body(_ arguments: [String], input: String = "") throws -> String {
    var body = ""
    try Desk.withSession { desk in
      try desk.write("a \"file\"\n", to: "\(desk.directory)/file")
      let result = try desk.run(
        ["api", "debug/echo"] + arguments, input: input, directory: desk.directory)
      #expect(result.status == 0, "\(result.stderr)")
      #expect(desk.deployment.requests.last?.method == "POST")
      #expect(desk.deployment.requests.last?.headers["content-type"] == "application/json")
      body = result.stdout
    }
    return body
  }

  @Test func `Fields make a JSON object, texts as they are`() throws {
    #expect(
      try body(["-f", "name=a \"b\"\\=c", "--raw-field", "n=5", "-f", "empty="])
        == #"{"name":"a \"b\"\\=c","n":"5","empty":""}"#)
  }

  @Test func `Fields of other types, lists and files are sent as such`() throws {
    #expect(
      try body(
        [
          "-F", "on=true", "-F", "none=null", "--field", "ttl=-5", "-F", "float=1.5", "-F", "l[]=1",
          "-F", "text=@file", "-f", "l[]=x", "-F", "in=@-", "-f", "on=no",
        ], input: "typed")
        == #"{"l":["x",1],"on":true,"none":null,"ttl":-5,"float":"1.5","text":"a \"file\"\u000a","#
        + #""in":"typed"}"#)
  }

  @Test func `With GET, and beside a body, fields go into the query`() throws {
    try Desk.withSession { desk in
      for (arguments, query) in [
        (["-X", "GET", "users/me", "-f", "q=a b&c"], ["q": "a b&c"]),
        (["GET", "users/me?x=1", "-F", "q=true"], ["x": "1", "q": "true"]),
        (["debug/echo", "--input", "-", "-f", "q=1"], ["q": "1"]),
      ] {
        let result = try desk.run(["api"] + arguments, input: "body")
        #expect(result.status == 0, "\(result.stderr)")
        #expect(desk.deployment.requests.last?.query == query)
      }
    }
  }

  @Test func `-i prints status and header fields before the body`() throws {
    try Desk.withSession { desk in
      let result = try desk.run(["api", "-i", "users/me"])
      #expect(result.stdout.hasPrefix("HTTP/1.1 200\n"))
      #expect(result.stdout.contains("Content-Type: application/json"))
      let body = try #require(result.stdout.range(of: "\n\n{"))
      #expect(result.stdout[body.upperBound...].contains(#""username":"alice""#))
      // Of two answers only the one that counts is shown, and one without a body is shown, too.
      desk.deployment.revokeAccessTokens()
      let again = try desk.run(["api", "-i", "users/me"])
      #expect(again.stdout.hasPrefix("HTTP/1.1 200\n") && !again.stdout.contains("HTTP/1.1 401"))
      desk.deployment.inject(.status(204), at: .account)
      #expect(try desk.run(["api", "-i", "users/me"]).stdout.hasPrefix("HTTP/1.1 204\n"))
      desk.deployment.inject(.status(404, body: "no"), at: .account)
      let missing = try desk.run(["api", "--include", "users/me"])
      #expect(missing.status == 76 && missing.stdout.hasSuffix("\n\nno"))
    }
  }

  @Test func `A web page in place of the API is told`() throws {
    try Desk.withSession { desk in
      let page = try desk.run(["api", "/users/me"])
      #expect(page.status == 0 && page.stdout.contains("<html"))
      #expect(page.message("warning")?.contains("paths of its API begin with /api/v2/") == true)
      #expect(try desk.run(["api", "/api/v2/users/me"]).errors.isEmpty)
    }
  }

  @Test func `A closed pipe is no error`() throws {
    try Desk.withSession { desk in
      let script = """
        set -o pipefail
        "$0" api "debug/bytes?count=100000000" | head -c 10 | wc -c
        """
      let result = try desk.run("/bin/bash", ["-c", script, desk.program])
      #expect(result.status == 0, "\(result.stderr)")
      #expect(result.lines == ["10"] && result.errors.isEmpty)
    }
  }

  @Test func `A full disk is one`() throws {
    try Desk.withSession { desk in
      for arguments in [
        ["api", "users/me"], ["list"], ["list", "--json"], ["status"], ["--help"],
      ] {
        let result = try desk.desktop.run(
          "/bin/sh", ["-c", "exec \"$0\" \"$@\" >/dev/full", desk.program] + arguments)
        #expect(result.status == 70, "\(arguments): \(result.stderr)")
        #expect(result.message("error")?.hasSuffix("No space left on device") == true)
      }
    }
  }

  @Test(
    arguments: [
      ([], "which path? coder-cred api [METHOD] PATH"),
      (
        ["https://other.example/x"], "give the path alone, for example users/me or /api/v2/users/me"
      ),
      (["javascript:x"], "give the path alone"),
      (["?x"], "give the path alone"),
      (["/x", "-H", "Authorization: y"], "leave out -H Authorization: coder-cred adds it"),
      (["GET", "/x", "-X", "POST"], "the method is given twice"),
      (["/x", "-X", "G T"], "capitals"),
      (["/x", "-f", "nothing"], "a field is key=value"),
      (["/x", "-f", "=x"], "a field is key=value"),
      (["/x", "--paginate", "-f", "a=b"], "--paginate is for GET"),
      (["/x", "-F", "a=@/nowhere"], "/nowhere cannot be read"), (["a", "b", "c"], "one path"),
    ] as [([String], String)])
  func `What is wrong with a call is said in plain words`(arguments: [String], words: String) throws
  {
    try Desk.withSession { desk in
      let result = try desk.run(["api"] + arguments)
      expectFailure(result, 64, saying: words)
      #expect(desk.deployment.requests.isEmpty)
      if arguments.isEmpty { #expect(result.message("hint") == "coder-cred api --help") }
    }
  }

  @Test func `A relative path leads nowhere but into the deployment`() throws {
    try Desk.withSession { desk in
      for path in ["../x", "..", "a/../../x", "api/v2/../../x", "%2e%2e/x", "a/..%2fx"] {
        let result = try desk.run(["api", path])
        #expect(result.status == 64, "\(path)")
      }
      #expect(desk.deployment.requests.isEmpty)
    }
  }
}

/// Lists in pages.
@Suite(.blocking) struct `api --paginate` {
  /// Answers as Coder does: so many workspaces from an offset on.
  private func paging(_ desk: Desk, _ count: Int, isArray: Bool, capped: Int = .max) {
    desk.deployment.changeResponses(at: "GET /api/v2/workspaces") { response, request in
      let offset = Int(request.query["offset"] ?? "") ?? 0
      let limit = min(Int(request.query["limit"] ?? "") ?? 25, capped)
      let names = (0..<count).dropFirst(offset).prefix(limit).map { "{\"name\":\"w\($0)\"}" }
      let list = "[\(names.joined(separator: ","))]"
      response.text = isArray ? list : "{\"workspaces\":\(list),\"count\":\(count)}"
    }
  }

  private func names(_ result: CommandResult) throws -> [String] {
    result.stdout.split(separator: "\"").map(String.init).filter {
      $0.hasPrefix("w") && $0 != "workspaces"
    }
  }

  @Test(arguments: [0, 1, 100, 101, 250])
  func `Every entry is printed once, arrays as one array`(count: Int) throws {
    try Desk.withSession { desk in
      paging(desk, count, isArray: true)
      let result = try desk.run(["api", "--paginate", "workspaces"])
      #expect(result.status == 0, "\(result.stderr)")
      let json = try result.json()
      let list = try #require(json as? [[String: String]])
      #expect(list.map { $0["name"] } == (0..<count).map { "w\($0)" })
    }
  }

  @Test(arguments: [0, 30, 250])
  func `Objects come one after another, and what the deployment counts is believed`(count: Int)
    throws
  {
    try Desk.withSession { desk in
      paging(desk, count, isArray: false, capped: 25)
      let result = try desk.run(["api", "workspaces?q=x", "--paginate"])
      #expect(result.status == 0, "\(result.stderr)")
      #expect(try names(result) == (0..<count).map { "w\($0)" })
      #expect(result.lines.count == max(1, (count + 24) / 25))
      #expect(desk.deployment.requests.allSatisfy { $0.query["q"] == "x" })
    }
  }

  @Test func `A limit and an offset that are given are kept to`() throws {
    try Desk.withSession { desk in
      paging(desk, 10, isArray: true)
      let result = try desk.run(["api", "--paginate", "workspaces?limit=3&offset=4"])
      #expect(try names(result) == (4..<10).map { "w\($0)" })
      #expect(desk.deployment.requests.map { $0.query["limit"] } == ["3", "3", "3"].dropLast(0))
    }
  }

  @Test func `A server that knows no pages is asked no more than twice`() throws {
    try Desk.withSession { desk in
      let entries = (0..<100).map { "{\"name\":\"w\($0)\"}" }.joined(separator: ",")
      desk.deployment.respond(at: "GET /api/v2/workspaces", with: .init(json: "[\(entries)]"))
      let result = try desk.run(["api", "--paginate", "workspaces"])
      #expect(try names(result).count == 100 && desk.deployment.requests.count == 2)
      desk.deployment.respond(at: "GET /api/v2/templates", with: .init(json: "{\"a\":1}"))
      #expect(try desk.run(["api", "--paginate", "templates"]).stdout == "{\"a\":1}\n")
    }
  }

  @Test func `Links are followed within the deployment, and nowhere else`() throws {
    try Desk.withSession { desk in
      let url = desk.url
      desk.deployment.changeResponses(at: "GET /api/v2/workspaces") { response, request in
        let page = Int(request.query["page"] ?? "1") ?? 1
        response.text = "[\(page)]"
        let next = page < 3 ? "\(url)/api/v2/workspaces?page=\(page + 1)" : "https://evil.example/x"
        response["Link"] = "<\(url)/first>; rel=\"first\", <\(next)>; rel=\"next\""
      }
      let result = try desk.run(["api", "--paginate", "workspaces"])
      #expect(result.status == 76 && result.stdout == "[1,2,3")
      #expect(result.message("error") == "the next page of the list lies outside of \(url)")
    }
  }

  @Test func `A token that is refused on the way is refreshed once`() throws {
    try Desk.withSession { desk in
      paging(desk, 150, isArray: true)
      desk.deployment.revokeAccessTokens()
      let result = try desk.run(["api", "--paginate", "workspaces"])
      #expect(try names(result).count == 150 && desk.deployment.refreshes.count == 1)
      desk.deployment.inject(.status(503), at: "GET /api/v2/templates")
      #expect(try desk.run(["api", "--paginate", "templates"]).status == 75)
    }
  }
}
