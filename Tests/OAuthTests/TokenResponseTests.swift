import HTTP
import Secrets
import Testing

@testable import OAuth

/// Reads the body of a 200.
private func tokens(_ body: [UInt8], now: Int64 = now) throws(OAuthError) -> TokenResponse {
  try TokenResponse(
    ServerResponse(HTTPResponse(status: 200, body: body)), requestedScope: nil, now: now)
}

private let limit = now + 10 * 365 * 86_400

@Suite struct `Token responses` {
  private func read(_ members: String) throws(OAuthError) -> TokenResponse {
    try tokens(Array("{\"access_token\":\"a-b\",\"token_type\":\"Bearer\"\(members)}".utf8))
  }

  @Test func `Older and newer deployments' answers are understood`() throws {
    let older = try tokens(
      Array(
        #"{"access_token":"ZQk5Kd-pQ3s","token_type":"Bearer","refresh_token":"coder_1_2","expires_in":86400,"expiry":"2027-01-16T08:00:00.123456789Z"}"#
          .utf8))
    #expect(older.accessToken == Secret("ZQk5Kd-pQ3s"))
    #expect(older.refreshToken == Secret("coder_1_2"))
    #expect(older.tokenType == "Bearer")
    #expect(older.expiresAt == now + 86_400)
    #expect(older.scope == nil)
    #expect(try read(#","scope":"coder:all""#).scope == "coder:all")
  }

  // Two deviations from the extension for the editor: where it guesses one hour, we say that we do
  // not know; and expires_in, which needs no agreement between clocks, beats expiry.
  @Test(
    arguments: [
      ("7200", 7200), ("3600.9", 3600), ("\"3600\"", 3600), ("\"3600.5\"", 3600),
      ("1", 1), ("0", nil), ("0.5", nil), ("-1", nil), ("-1e30", nil), ("null", nil), ("true", nil),
      ("\"\"", nil), ("\"nan\"", nil), ("\"inf\"", nil), ("\"0x10\"", nil), ("\"-5\"", nil),
      ("\"1.2.3\"", nil), ("\"soon\"", nil), ("[3600]", nil), ("{\"a\":1}", nil), ("1e999", nil),
      ("1e30", limit - now), ("9223372036854775807", limit - now),
      ("\"1\(String(repeating: "0", count: 400))\"", limit - now),
    ] as [(String, Int64?)])
  func `A lifetime is a positive number of seconds, ten years at most`(
    _ text: String, _ expected: Int64?
  ) throws {
    #expect(try read(",\"expires_in\":\(text)").expiresAt == expected.map { now + $0 })
  }

  @Test(
    arguments: [
      ("2027-01-15T09:00:00Z", 3600), ("2027-01-15T09:00:00.987654321Z", 3600),
      ("2027-01-15T11:00:00+02:00", 3600), ("2027-01-15T03:30:00.5-05:30", 3600),
      ("1970-01-01T00:00:00Z", nil), ("2027-01-15T08:00:00Z", nil), ("0001-01-01T00:00:00Z", nil),
      ("99999-01-01T00:00:00Z", nil), ("9999-01-01T00:00:00Z", limit - now), ("", nil),
      ("tomorrow", nil), ("2027-01-15", nil), ("2027-01-15T09:00:00+99:99", nil),
      ("2027-01-15T09:00:00", nil), (String(repeating: "2", count: 100_000), nil),
    ] as [(String, Int64?)])
  func `Without a lifetime, a moment in the future counts`(
    _ text: String, _ expected: Int64?
  ) throws {
    #expect(try read(",\"expiry\":\"\(text)\"").expiresAt == expected.map { now + $0 })
    #expect(
      try read(",\"expires_in\":0,\"expiry\":\"\(text)\"").expiresAt == expected.map { now + $0 })
    #expect(try read(",\"expires_in\":60,\"expiry\":\"\(text)\"").expiresAt == now + 60)
  }

  @Test func `Expiry never overflows`() throws {
    for moment in [Int64.min, Int64.max, 0] {
      for members in [
        #","expires_in":1e30"#, #","expiry":"9999-01-01T00:00:00Z""#, #","expires_in":1"#,
      ] {
        let body = Array("{\"access_token\":\"a\",\"token_type\":\"bearer\"\(members)}".utf8)
        _ = try tokens(body, now: moment)
      }
    }
  }

  // RFC 6749 §5.1 says that case does not matter; the extension for the editor is stricter.
  @Test(arguments: ["Bearer", "bearer", "BEARER"])
  func `The token type is Bearer in any case`(_ type: String) throws {
    let response = try tokens(Array("{\"access_token\":\"a\",\"token_type\":\"\(type)\"}".utf8))
    #expect(response.tokenType == "Bearer")
  }

  @Test(arguments: ["", #","token_type":null"#, #","token_type":"""#])
  func `A server that names no token type means Bearer`(_ member: String) throws {
    let response = try tokens(Array("{\"access_token\":\"a\"\(member)}".utf8))
    #expect(response.tokenType == "Bearer")
    #expect(response.oddities.isEmpty)
  }

  @Test(arguments: [
    #""DPoP""#, #""mac""#, #""Bearer x""#, #""Bearer\r\nX: y""#, "1", #""unknown""#, "[]", "{}",
  ])
  func `Another token type costs no tokens, is named, and goes nowhere`(_ type: String) throws {
    let response = try tokens(Array("{\"access_token\":\"a\",\"token_type\":\(type)}".utf8))
    #expect(response.accessToken == Secret("a"))
    #expect(response.tokenType == "Bearer")
    #expect(response.oddities == ["the deployment issued a token of another type than Bearer"])
  }

  private static let json = #"{"access_token":"a+b/c","refresh_token":"r+1"}"#
  /// The same, in other clothes.
  private static let wrapped: [String] = [
    "\u{FEFF}" + json, JSONValue.string(json).text, "\r\n " + JSONValue.string(json).text,
    "\nNotice: Undefined index in /srv/www/token.php on line 7\n\n" + json,
    String(repeating: "Deprecated: x\n", count: 140) + json, "data: " + json + "\n\n",
    "[" + json + "]", "access_token=a+b/c&refresh_token=r+1",
    "access_token=a%2Bb%2Fc&refresh_token=r%2B1&scope=x+y",
    "access_token=Bearer%20a%2Bb%2Fc&refresh_token=r%2B1",
    json.replacing("a+b", with: "Bearer a+b"), json.replacing("a+b", with: "bearer a+b"),
    json.replacing("}", with: #","access_token":"","refresh_token":null}"#),
    json.replacing("}", with: #","access_token":7,"refresh_token":"a b"}"#),
    json.replacing("{", with: #"{"access_token":"old","#),
    json.replacing("{", with: "{ "),
    json.replacing("{", with: "{\r\n\t").replacing(",", with: " ,\n"),
    json.replacing(":", with: " : ").replacing("}", with: "\n}\n"),
  ]

  @Test(arguments: wrapped)
  func `However a server wraps it, what can be read is read`(_ body: String) throws {
    let response = try tokens(Array(body.utf8))
    #expect(response.accessToken == Secret("a+b/c"))
    #expect(response.refreshToken == Secret("r+1"))
  }

  @Test(arguments: [true, false], [[], [0xFEFF]] as [[UInt16]])
  func `UTF-16 is read, with its mark and without`(
    _ isLittleEndian: Bool, _ mark: [UInt16]
  ) throws {
    let body = (mark + Self.json.utf16).flatMap { unit -> [UInt8] in
      let bytes = [UInt8(truncatingIfNeeded: unit), UInt8(unit >> 8)]
      return isLittleEndian ? bytes : bytes.reversed()
    }
    let response = try tokens(body)
    #expect(response.accessToken == Secret("a+b/c"))
    #expect(response.refreshToken == Secret("r+1"))
    _ = try? tokens(Array(body.dropLast()))
  }

  @Test(arguments: [
    "access_token=a%20b", "access_token=a%0Ab", "access_token=Bearer+a b",
    #"{"access_token":"Bearer "}"#, #"{"access_token":"Bearer Bearer a"}"#,
    #"{"access_token":"Bearer a\r\nX: y"}"#, #"{"access_token":"Basic a"}"#,
  ])
  func `A token with a blank or a line break within is still none`(_ body: String) {
    #expect(throws: OAuthError.self) {
      let response = try tokens(Array(body.utf8))
      // The blank ends a form that is not encoded.
      if response.accessToken == Secret("Bearer+a") { throw OAuthError.malformed("") }
    }
  }

  @Test func `Of a response that was cut off, only a whole object counts`() throws {
    func read(_ body: String) throws -> TokenResponse {
      try TokenResponse(
        ServerResponse(
          HTTPResponse(
            status: 200, body: Array(body.utf8), cutOff: .broken(reason: "it was cut off"))),
        requestedScope: nil, now: now)
    }
    #expect(try read(Self.json).accessToken == Secret("a+b/c"))
    #expect(try read(Self.json + "\r\n").refreshToken == Secret("r+1"))
    for length in 0..<Self.json.utf8.count {
      #expect(throws: tokenless) { try read(String(Self.json.prefix(length))) }
    }
    #expect(throws: tokenless) { try read("access_token=abc&refresh_token=de") }
  }

  private static let unkeepable = [
    #""x\nhost=evil\nquit=1""#, #""x\r""#, #""x\u0000""#, #""\u001b[0m""#, #""a b""#, #""a\"b""#,
    #""a\\b""#, #""é""#, #""\u007f""#, "1", "[]", "{}", "true", "\"a\nhost=evil\"",
    "\"\(String(repeating: "a", count: 24_577))\"",
    "\"\(String(repeating: "a", count: 1_000_000))\"",
  ]

  @Test(arguments: unkeepable)
  func `An access token that cannot be kept on one line is malformed`(_ token: String) {
    let body = "{\"access_token\":\(token),\"token_type\":\"Bearer\"}"
    #expect {
      try tokens(Array(body.utf8))
    } throws: {
      if case .malformed = $0 as? OAuthError { true } else { false }
    }
  }

  @Test(arguments: unkeepable)
  func `A refresh token that cannot be kept is left out, and named`(_ token: String) throws {
    let body = "{\"access_token\":\"a\",\"refresh_token\":\(token),\"token_type\":\"Bearer\"}"
    let response = try tokens(Array(body.utf8))
    #expect(response.accessToken == Secret("a"))
    #expect(response.refreshToken == nil)
    #expect(response.oddities == ["the deployment sent a refresh token that cannot be kept"])
  }

  @Test func `Every allowed character and length of a token is kept`() throws {
    let all = String(
      decoding: (UInt8(0x21)...0x7E).filter { $0 != 0x22 && $0 != 0x5C }, as: UTF8.self)
    let long = String(repeating: "a", count: 24_576)
    for token in [all, long] {
      let body = "{\"access_token\":\"\(token)\",\"token_type\":\"Bearer\"}"
      #expect(try tokens(Array(body.utf8)).accessToken == Secret(token))
    }
    let escaped = #"{"access_token":"\u0061\/b","token_type":"Bearer"}"#
    #expect(try tokens(Array(escaped.utf8)).accessToken == Secret("a/b"))
  }

  @Test func `An empty refresh token is none`() throws {
    #expect(try read(#","refresh_token":"""#).refreshToken == nil)
    #expect(try read(#","refresh_token":null"#).refreshToken == nil)
  }

  @Test(arguments: ["\"a\\nb\"", "7", "[]", "[7]", "\"\"", "null", "\"a\\\"b\"", "\"é\""])
  func `An odd scope is not worth losing a token for`(_ scope: String) throws {
    #expect(try read(",\"scope\":\(scope)").scope == nil)
  }

  @Test func `A list of scopes is a scope`() throws {
    #expect(try read(#","scope":["a:b","c"]"#).scope == "a:b c")
  }

  @Test func `Without a scope in the response, what was asked for is granted`() throws {
    func scope(_ member: String) throws -> String? {
      let body = "{\"access_token\":\"a\"\(member)}"
      return try TokenResponse(
        ServerResponse(HTTPResponse(status: 200, body: Array(body.utf8))),
        requestedScope: "asked for", now: now
      ).scope
    }
    #expect(try scope("") == "asked for")
    #expect(try scope(#","scope":"""#) == "asked for")
    #expect(try scope(#","scope":"less""#) == "less")
  }

  @Test func `An error without tokens is an error, whatever the status`() {
    #expect(
      throws: OAuthError.refused(
        ErrorResponse(code: "invalid_grant", description: "expired"), status: 200)
    ) { try tokens(Array(#"{"error":"invalid_grant","error_description":"expired"}"#.utf8)) }
    #expect(throws: OAuthError.unavailable(status: 200, reason: nil, retryAfter: nil)) {
      try tokens(Array(#"{"error":"server_error","access_token":null}"#.utf8))
    }
  }

  @Test func `Tokens are worth more than the error beside them, which is told`() throws {
    let response = try read(#","error":"invalid_scope","error_description":"partly""#)
    #expect(response.accessToken == Secret("a-b"))
    #expect(response.oddities.count == 1)
    #expect(response.oddities.first?.contains("\"partly\"") == true)
    for none in [#","error":"""#, #","error":null"#] {
      #expect(try read(none).oddities.isEmpty)
    }
  }

  @Test(arguments: [
    "", "{}", "[]", "null", "<html>", "<p>{\"access_token\":\"a\"}</p>", "access_token",
    #"{"access_token":null,"token_type":"Bearer"}"#,
    #"{"access_token":"","token_type":"Bearer"}"#, #"{"token_type":"Bearer"}"#,
    #"{"token":{"access_token":"a"}}"#, #"["access_token","a"]"#, "token_type=Bearer",
    #"{"access_token":"a"#, #"{"access_token":"#, #"{"Access_Token":"a"}"#,
  ])
  func `A body without an access token brings none`(_ body: String) {
    #expect(throws: tokenless) { try tokens(Array(body.utf8)) }
  }

  @Test func `However early a response is cut off, no part of a token passes for one`() throws {
    let good = Array(#"{"access_token":"abc","token_type":"Bearer","refresh_token":"def"}"#.utf8)
    for length in 0..<good.count {
      guard let response = try? tokens(Array(good[..<length])) else { continue }
      #expect(response.accessToken == Secret("abc"))
      #expect(response.refreshToken == nil || response.refreshToken == Secret("def"))
    }
  }

  @Test func `The old refresh token stays unless a new one came`() throws {
    let old = Secret("old")
    #expect(try read("").keeping(refreshToken: old).refreshToken == old)
    #expect(
      try read(#","refresh_token":"new""#).keeping(refreshToken: old).refreshToken == Secret("new"))
    #expect(try read("").keeping(refreshToken: nil).refreshToken == nil)
    #expect(try read(#","expires_in":9"#).keeping(refreshToken: old).expiresAt == now + 9)
  }
}
