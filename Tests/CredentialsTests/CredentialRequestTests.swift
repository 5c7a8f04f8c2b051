import Credentials
import Secrets
import Testing

@Suite struct `A request in git's format` {
  private func request(_ text: String) throws(MalformedInput) -> CredentialRequest {
    try CredentialRequest(parsing: Array(text.utf8))
  }

  @Test func `is read key by key`() throws {
    let request = try request(
      """
      capability[]=authtype
      capability[]=state
      protocol=https
      host=Dev.Coder.com:8443
      path=coder/x y
      username=alice
      password=p=a s
      password_expiry_utc=1900000000
      oauth_refresh_token=r
      wwwauth[]=Bearer realm="coder"
      tomorrow=unknown

      """)
    #expect(request.deployment.url == "https://dev.coder.com:8443/coder/x%20y")
    #expect(request.username == "alice")
    #expect(request.password == "p=a s")
    #expect(request.expiresAt == 1_900_000_000)
    #expect(request.refreshToken == "r")
    #expect(request.understandsAuthtype)
    #expect(!request.isEphemeral)
  }

  @Test func `ends at the first empty line`() throws {
    let request = try request("protocol=https\nhost=a\n\nhost=b\n")
    #expect(request.deployment.host == "a")
  }

  @Test func `may have one carriage return at the end of each line`() throws {
    let request = try request("protocol=https\r\nhost=a\r\n\r\nhost=b\r\n")
    #expect(request.deployment.url == "https://a")
  }

  @Test func `may lack the last line end`() throws {
    #expect(try request("protocol=https\nhost=a").deployment.url == "https://a")
  }

  @Test func `gives the last value of a key, and an empty list key clears`() throws {
    let request = try request(
      "protocol=http\nprotocol=https\nhost=a\nhost=b\ncapability[]=authtype\ncapability[]=\n")
    #expect(request.deployment.url == "https://b")
    #expect(!request.understandsAuthtype)
  }

  @Test func `may name a URL instead of its parts`() throws {
    let request = try request("username=x\nurl=https://al%69ce:p%40ss@h:8443/a%20b\n")
    #expect(request.deployment.url == "https://h:8443/a%20b")
    #expect(request.username == "alice")
    #expect(request.password == "p@ss")
  }

  @Test(arguments: [
    ("url=https://h/p?version=x\n", "https://h/p%3Fversion=x"),
    ("url=https://h?version=x\n", "https://h/%3Fversion=x"),
    ("url=https://h/#x\n", "https://h/%23x"),
    ("url=https://h//p/\n", "https://h/p"), ("url=https://u@h?@other/\n", "https://h/%3F@other"),
  ])
  func `takes a URL's query for a part of its path`(text: String, url: String) throws {
    #expect(try request(text).deployment.url == url)
  }

  @Test(arguments: [
    ("https", "Dev.Coder.com:443", "https://dev.coder.com", "https://Dev.Coder.com:443"),
    ("https", "dev.coder.com", "https://dev.coder.com", "https://dev.coder.com"),
    ("https", "bücher.example:8443", nil, "https://bücher.example:8443"),
    ("HTTPS", "[2001:DB8::1]:8443", "https://[2001:db8::1]:8443", "https://[2001:DB8::1]:8443"),
    ("smtp", "mail.example:587", "smtp://mail.example:587", "smtp://mail.example:587"),
  ])
  func `names a place byte for byte, and a deployment in one spelling`(
    scheme: String, host: String, deployment: String?, place: String
  ) throws {
    let request = try request("protocol=\(scheme)\nhost=\(host)\npath=a b/c\n")
    #expect(request.deployment.url == (deployment ?? place) + "/a%20b/c")
    #expect(request.place.url == place + "/a%20b/c")
    // It is found again by what is stored.
    #expect(try Deployment(storedURL: request.place.url) == request.place)
    #expect(try Deployment(storedURL: request.deployment.url) == request.deployment)
    #expect(request.place.server.url == place)
  }

  @Test func `may be for a file`() throws {
    let request = try request("protocol=cert\nhost=\npath=home/u/my key.pem\n")
    #expect(request.place.url == "cert:///home/u/my%20key.pem")
    #expect(try self.request("url=cert:///home/u/my%20key.pem\n").place == request.place)
    #expect(try Deployment(storedURL: request.place.url) == request.place)
    #expect(request.deployment == request.place)
  }

  @Test(arguments: [
    "https://b\u{200B}ad.example", "https://b\u{2028}", "https://", "https://h/a//b", "https://h/",
    "https:///x", "h", "https://h/%zz", "https://h/a b", "https://b\u{E9}:99999", "https://u@h",
  ])
  func `is not found under a URL that we would not store`(url: String) {
    #expect(throws: MalformedInput.self) { try Deployment(storedURL: url) }
  }

  @Test(arguments: [
    "", "\n", "protocol=https\n", "host=h\n", "protocol=https\nhost=\n", "protocol=\nhost=h\n",
    "protocol=https\nhost\n", "garbage", "protocol=https\nhost=a\0b\n",
    "protocol=https\nhost=evil.test\rhost=coder.example.com\n", "protocol=https\nhost=a\r\r\n",
    "protocol=https\nhost=a\u{2028}b\n", "protocol=https\nhost=a\u{85}b\n",
    "protocol=https\nhost=a\u{0B}b\n", "protocol=https\nhost=a\u{0C}b\n",
    "protocol=https\nhost=evil%0ahost=a\n", "url=https:///x\n", "url=//h\n",
    "url=https://a%0ahost=coder.example.com/\n", "url=https://u%0a:p@h\n", "url=https://u:%00@h/\n",
    "protocol=https\nhost=h\nusername=a\u{1b}[1Ab\n", "protocol=cert\npath=/x\n",
    "protocol=cert\nhost=\n", "protocol=cert\nhost=\npath=/\n", "protocol=cert\nhost=\npath=//\n",
  ])
  func `is refused when it is malformed`(text: String) {
    #expect(throws: MalformedInput.self) { try request(text) }
  }

  @Test func `is refused when a value it uses is not UTF-8, and not when others are`() throws {
    let start = Array("protocol=https\nhost=h\n".utf8)
    #expect(throws: MalformedInput.self) {
      try CredentialRequest(parsing: start + Array("password=".utf8) + [0xFF, 0x0A])
    }
    let request = try CredentialRequest(
      parsing: start + Array("wwwauth[]=".utf8) + [0xFF, 0x0A])
    #expect(request.deployment.host == "h")
  }

  @Test(arguments: [1000, 1023, 1024, 4095, 4096, 8191, 65_535 - "wwwauth[]=".utf8.count])
  func `is not confused by a long line`(length: Int) throws {
    let text = "protocol=https\nhost=h\nwwwauth[]=" + String(repeating: "a", count: length)
    #expect(try request(text + "\nusername=victim\n").username == "victim")
  }

  @Test func `is refused when a line or the whole is too long`() throws {
    let line = "wwwauth[]=" + String(repeating: "a", count: 65_536 - "wwwauth[]=".utf8.count)
    #expect(throws: MalformedInput.request(reason: "a line is longer than 65,535 bytes")) {
      try request("protocol=https\nhost=h\n\(line)\n")
    }
    let many = String(repeating: "wwwauth[]=x\n", count: 100_000)
    #expect(throws: MalformedInput.request(reason: "the request is longer than 1 MiB")) {
      try request("protocol=https\nhost=h\n" + many)
    }
  }

  @Test(arguments: [("0", nil), ("-5", nil), ("x", nil), ("99999999999999999999", nil), ("7", 7)])
  func `has an expiry only when it names one`(text: String, expiry: Int64?) throws {
    let request = try request("protocol=https\nhost=h\npassword_expiry_utc=\(text)\n")
    #expect(request.expiresAt == expiry)
  }

  @Test(arguments: [
    ("1", true), ("true", true), ("YES", true), ("on", true), ("0", false), ("", false),
  ])
  func `reads git's booleans`(text: String, isTrue: Bool) throws {
    #expect(try request("protocol=https\nhost=h\nephemeral=\(text)\n").isEphemeral == isTrue)
  }

  @Test func `repeats nothing of its input in its errors`() {
    for text in [
      "CANARY", "protocol=https\nhost=h\npassword=CANARY\r\r\n", "url=https://CANARY:x?\n",
    ] {
      do throws(MalformedInput) {
        _ = try request(text)
        Issue.record("accepted")
      } catch {
        #expect(!"\(error)".contains("CANARY"))
      }
    }
  }
}
