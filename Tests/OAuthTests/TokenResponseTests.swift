import Secrets
import Testing

@testable import OAuth

private let limit = now + 10 * 365 * 86_400

@Suite struct `Token responses` {
  private func read(_ members: String) throws(OAuthError) -> TokenResponse {
    try TokenResponse(
      body: Array("{\"access_token\":\"a-b\",\"token_type\":\"Bearer\"\(members)}".utf8), now: now)
  }

  @Test func `Older and newer deployments' answers are understood`() throws {
    let older = try TokenResponse(
      body: Array(
        #"{"access_token":"ZQk5Kd-pQ3s","token_type":"Bearer","refresh_token":"coder_1_2","expires_in":86400,"expiry":"2027-01-16T08:00:00.123456789Z"}"#
          .utf8), now: now)
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
        _ = try TokenResponse(body: body, now: moment)
      }
    }
  }

  // RFC 6749 §5.1 says that case does not matter; the extension for the editor is stricter.
  @Test(arguments: ["Bearer", "bearer", "BEARER"])
  func `The token type is Bearer in any case`(_ type: String) throws {
    let response = try TokenResponse(
      body: Array("{\"access_token\":\"a\",\"token_type\":\"\(type)\"}".utf8), now: now)
    #expect(response.tokenType == "Bearer")
  }

  @Test(arguments: [
    #""DPoP""#, #""mac""#, #""""#, #""Bearer x""#, #""Bearer\n""#, "null", "1", #""unknown""#,
  ])
  func `Any other token type is malformed`(_ type: String) {
    #expect {
      try TokenResponse(
        body: Array("{\"access_token\":\"a\",\"token_type\":\(type)}".utf8), now: now)
    } throws: {
      if case .malformed = $0 as? OAuthError { true } else { false }
    }
  }

  @Test(arguments: [
    #""x\nhost=evil\nquit=1""#, #""x\r""#, #""x\u0000""#, #""\u001b[0m""#, #""a b""#, #""a\"b""#,
    #""a\\b""#, #""é""#, #""\u007f""#, "1", "[]", "{}", "true",
    "\"\(String(repeating: "a", count: 8193))\"", "\"\(String(repeating: "a", count: 1_000_000))\"",
  ])
  func `A token that cannot be kept on one line is malformed`(_ token: String) {
    for body in [
      "{\"access_token\":\(token),\"token_type\":\"Bearer\"}",
      "{\"access_token\":\"a\",\"refresh_token\":\(token),\"token_type\":\"Bearer\"}",
    ] {
      #expect {
        try TokenResponse(body: Array(body.utf8), now: now)
      } throws: {
        if case .malformed = $0 as? OAuthError { true } else { false }
      }
    }
  }

  @Test func `Every allowed character and length of a token is kept`() throws {
    let all = String(
      decoding: (UInt8(0x21)...0x7E).filter { $0 != 0x22 && $0 != 0x5C }, as: UTF8.self)
    let long = String(repeating: "a", count: 8192)
    for token in [all, long] {
      let body = "{\"access_token\":\"\(token)\",\"token_type\":\"Bearer\"}"
      #expect(try TokenResponse(body: Array(body.utf8), now: now).accessToken == Secret(token))
    }
    let escaped = #"{"access_token":"\u0061\/b","token_type":"Bearer"}"#
    #expect(try TokenResponse(body: Array(escaped.utf8), now: now).accessToken == Secret("a/b"))
  }

  @Test func `An empty refresh token is none`() throws {
    #expect(try read(#","refresh_token":"""#).refreshToken == nil)
    #expect(try read(#","refresh_token":null"#).refreshToken == nil)
  }

  @Test(arguments: ["\"a\\nb\"", "7", "[\"a\"]", "\"\"", "null", "\"a\\\"b\"", "\"é\""])
  func `An odd scope is not worth losing a token for`(_ scope: String) throws {
    #expect(try read(",\"scope\":\(scope)").scope == nil)
  }

  @Test func `An error in a 200 is an error`() {
    #expect(
      throws: OAuthError.refused(
        ErrorResponse(code: "invalid_grant", description: "expired"), status: 200)
    ) { try read(#","error":"invalid_grant","error_description":"expired""#) }
    #expect(throws: OAuthError.unavailable(status: 200, reason: nil, retryAfter: nil)) {
      try read(#","error":"server_error""#)
    }
  }

  @Test(arguments: [
    "", "{}", "[]", "null", "<html>", #"{"access_token":null,"token_type":"Bearer"}"#,
    #"{"access_token":"","token_type":"Bearer"}"#, #"{"token_type":"Bearer"}"#,
    #"{"access_token":"a","access_token":"b","token_type":"Bearer"}"#,
    #"{"access_token":"a","\u0061ccess_token":"b","token_type":"Bearer"}"#,
    "\u{FEFF}{\"access_token\":\"a\",\"token_type\":\"Bearer\"}",
    #"{"access_token":"a","token_type":"Bearer"}x"#, #"{"access_token":"a","token_type":"Bearer""#,
    "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"x\":"
      + String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000) + "}",
  ])
  func `A body that is not plainly tokens brings none`(_ body: String) {
    #expect {
      try TokenResponse(body: Array(body.utf8), now: now)
    } throws: {
      switch $0 as? OAuthError {
      case .malformed, .unavailable: true
      default: false
      }
    }
  }

  @Test func `Bytes that are no UTF-8 are no answer`() {
    let good = Array(#"{"access_token":"a","token_type":"Bearer","x":"?"}"#.utf8)
    for byte in [0xFF, 0xC0, 0x80, 0xED] as [UInt8] {
      let body = good.map { $0 == UInt8(ascii: "?") ? byte : $0 }
      #expect(throws: answerless) {
        try TokenResponse(body: body, now: now)
      }
    }
    for length in 0..<good.count {
      #expect(throws: OAuthError.self) {
        try TokenResponse(body: Array(good[..<length]), now: now)
      }
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
