import TestDesk
import Testing

/// What a caller is made to ask for, by a repository's address for one, must not be read as another
/// server's name than it is. Each is refused with 65 or finds nothing, and nothing is changed.
@Suite(.blocking) struct `A request on standard input` {
  /// What comes of it, for each of git's verbs and both programs.
  private static func expect(
    _ status: Int32, _ requests: [String], _ what: String = #function
  ) throws {
    try Desk.with { desk in
      let victim = "protocol=https\nhost=coder.example.com\nusername=alice\n"
      #expect(try desk.run(["store"], input: "\(victim)password=\(desk.plant())\n\n").status == 0)
      try desk.desktop.expectUnchangedItems(what) {
        for request in requests {
          for verb in ["get", "erase", "store"] {
            let told = verb == "store" ? "password=\(desk.plant("x"))\n" : ""
            for program in [[:], ["CODER_CRED_ENGINE": "1"]] {
              // What follows an empty line, or has no line end, is no part of the request.
              let result = try desk.run(
                [verb], input: told + request, environment: program)
              #expect(result.output.isEmpty, "\(verb) \(request.debugDescription.prefix(120))")
              if verb != "store" || status != 0 {
                #expect(
                  result.status == status,
                  "\(verb) \(request.debugDescription.prefix(120)): \(result.stderr)")
              }
            }
          }
        }
      }
    }
  }

  @Test func `with a line break in a URL names no second host`() throws {
    try Self.expect(
      65,
      ["%0a", "%0A", "%0d", "%0d%0a", "%00", "%1b", "%7f"].flatMap { escape in
        [
          "url=https://evil.test\(escape)host=coder.example.com/\n\n",
          "url=https://evil.test/\(escape)host=coder.example.com\n\n",
          "url=https://a\(escape)host=coder.example.com@evil.test/\n\n",
          "url=https://a:b\(escape)host=coder.example.com@evil.test/\n\n",
          "url=https\(escape)host=coder.example.com://evil.test/\n\n",
        ]
      })
  }

  @Test func `decodes no escape in a host`() throws {
    try Self.expect(
      65,
      [
        "protocol=https\nhost=evil%0Ahost=coder.example.com\n\n",
        "protocol=https\nhost=coder%2Eexample.com\n\n",
        "protocol=https\nhost=coder.example.com%00\n\n",
        "protocol=https\nhost=coder.example.com%20\n\n",
        "protocol=https\nhost=evil%250Ahost=coder.example.com\n\n",
        "url=https://coder%2eexample.com/\n\n", "protocol=http%73\nhost=coder.example.com\n\n",
      ])
  }

  @Test func `decodes an escape in a path once`() throws {
    try Desk.with { desk in
      let place = "protocol=https\nhost=h.example\npath="
      let stored = try desk.run(
        ["store"], input: "\(place)a%2Fb\nusername=u\npassword=\(desk.plant())\n\n")
      #expect(stored.status == 0)
      for path in ["a/b", "a%252Fb", "a%2fb"] {
        #expect(try desk.run(["get"], input: "\(place)\(path)\n\n").output.isEmpty, "\(path)")
      }
      #expect(try desk.run(["get"], input: "\(place)a%2Fb\n\n")["username"] == "u")
      #expect(try desk.run(["get"], input: "url=https://h.example/a%252Fb\n\n")["username"] == "u")
    }
  }

  @Test func `without a host or a protocol means no server, and not any`() throws {
    try Self.expect(
      65,
      [
        "", "\n", "protocol=https\n\n", "host=\nprotocol=https\n\n",
        "protocol=\nhost=coder.example.com\n\n", "host=coder.example.com\n\n", "url=https:///x\n\n",
        "url=//coder.example.com\n\n", "url=\n\n", "url=coder.example.com\n\n", "url=://\n\n",
        "username=alice\n\n", "protocol=https\nhost=:443\n\n", "path=x\n\n", "wwwauth[]=Basic\n\n",
      ])
  }

  /// What Unicode, or a programming language, takes for the end of a line.
  @Test func `ends its lines by nothing but a line feed`() throws {
    let breaks = ["\r", "\u{B}", "\u{C}", "\u{85}", "\u{2028}", "\u{2029}", "\0"]
    try Self.expect(
      65,
      breaks.flatMap {
        [
          "protocol=https\nhost=evil.test\($0)host=coder.example.com\n\n",
          "protocol=https\($0)host=coder.example.com\n\n",
        ]
      } + ["protocol=https\nhost=coder.example.com\r\r\n\n"])
    // As the end of a user name it would be read by somebody else.
    try Self.expect(
      65, ["\r", "\0"].map { "protocol=https\nhost=h.example\nusername=a\($0)password=b\n\n" })
  }

  /// What looks like the host, ends with it, begins with it, or is it on another port or by another
  /// way. All are servers of their own, which passes in silence.
  @Test func `for a server that looks like the one that is stored finds nothing`() throws {
    try Self.expect(
      0,
      [
        "coder.example.com.evil.test", "evilcoder.example.com", "coder.example.com.",
        "coder.example.com:8443", "coder-example.com", "c\u{43E}der.example.com",
        "xn--coder-n9a.example.com",
        "coder.example.co", "example.com", "[::1]:8443", "a.coder.example.com",
      ].map { "protocol=https\nhost=\($0)\n\n" }
        + ["ftp", "ssh", "httpss"].map { "protocol=\($0)\nhost=coder.example.com\n\n" })
    try Self.expect(
      65,
      [
        "coder.example.com@evil.test", "coder.example.com:443@evil.test",
        "evil.test/@coder.example.com", "evil.test?coder.example.com",
        "evil.test#coder.example.com", "coder.example.com\\@evil.test", "coder.example.com:x",
        "coder.example.com:443:443", "*.example.com", "coder.example.com,evil.test",
      ].map { "protocol=https\nhost=\($0)\n\n" })
  }

  @Test func `for the same host without encryption finds no token`() throws {
    try Self.expect(
      65,
      [
        "protocol=http\nhost=coder.example.com\n\n", "url=http://coder.example.com/\n\n",
        "protocol=HTTP\nhost=coder.example.com\n\n",
        "protocol=http\nhost=coder.example.com:443\n\n",
      ])
  }

  /// A reader with a buffer would take what lies behind it for a line.
  @Test func `with a long line keeps its host`() throws {
    let victim = "host=coder.example.com"
    try Self.expect(
      0,
      [1000, 1023, 1024, 4095, 4096, 8191, 65_000].flatMap { length in
        [0, 1, 2].map { more in
          let padding = String(repeating: "a", count: length - "wwwauth[]=".utf8.count + more)
          return "protocol=https\nhost=evil.test\nwwwauth[]=\(padding)\(victim)\n\n"
        }
      })
    let beyond = String(repeating: "a", count: 65_536)
    try Self.expect(65, ["protocol=https\nhost=evil.test\nwwwauth[]=\(beyond)\(victim)\n\n"])
  }

  @Test func `of any size is read within bounds`() throws {
    let valid = "protocol=https\nhost=evil.test\n"
    try Self.expect(
      65,
      [
        valid + "path=" + String(repeating: "a", count: 65_536) + "\n\n",
        String(repeating: "wwwauth[]=x\n", count: 1_000_000) + valid,
        String(repeating: "a", count: 10 << 20), valid + "path\n\n", valid + "a\0b=c\n\n",
        "=x\0\n\(valid)", valid + "username=" + String(repeating: "u", count: 1025) + "\n\n",
      ])
  }
}
