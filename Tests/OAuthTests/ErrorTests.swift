import HTTP
import Testing

@testable import OAuth

@Suite struct `Error responses` {
  private func sorted(
    _ status: Int, _ body: String, _ headers: [HTTPField] = []
  ) -> OAuthError {
    OAuthError(
      ServerResponse(HTTPResponse(status: status, headers: headers, body: Array(body.utf8))),
      now: now)
  }

  @Test(
    arguments: [
      "access_denied", "invalid_client", "invalid_grant", "invalid_request", "invalid_scope",
      "invalid_target", "unauthorized_client", "unsupported_grant_type",
      "unsupported_response_type", "unsupported_token_type", "something_new",
    ], [400, 401])
  func `An OAuth error with status 400 or 401 is a verdict`(_ code: String, _ status: Int) {
    #expect(
      sorted(status, "{\"error\":\"\(code)\"}")
        == .refused(ErrorResponse(code: code), status: status))
  }

  @Test(arguments: ["server_error", "temporarily_unavailable"], [400, 401, 429, 500])
  func `A passing trouble is none, whatever its status`(_ code: String, _ status: Int) {
    #expect(
      sorted(status, "{\"error\":\"\(code)\",\"error_description\":\"busy\"}")
        == .unavailable(status: status, reason: "busy", retryAfter: nil))
  }

  @Test(arguments: [304, 402, 403, 404, 405, 408, 413, 418, 429, 500, 502, 503, 504, 599])
  func `Any other status decides nothing, even with a code`(_ status: Int) {
    #expect(
      sorted(status, #"{"error":"invalid_grant"}"#)
        == .unavailable(status: status, reason: nil, retryAfter: nil))
  }

  @Test(arguments: [
    "", "null", "[]", "<html>invalid_grant</html>", "{}", #"{"error":null}"#, #"{"error":7}"#,
    #"{"error":{"code":"invalid_grant"}}"#, #"{"error":"invalid_grant","error":"x"}"#,
    #"{"message":"Bad"}"#, #"{"error":"invalid_grant""#,
  ])
  func `A response that is not OAuth's decides nothing`(_ body: String) {
    for status in [400, 401] {
      guard case .unavailable(status, _, nil) = sorted(status, body) else {
        Issue.record("\(status) \(body)")
        continue
      }
    }
  }

  @Test func `A deployment's own message is passed on`() {
    #expect(
      sorted(404, #"{"message":"Route not found.","detail":"x"}"#)
        == .unavailable(status: 404, reason: "Route not found.", retryAfter: nil))
  }

  @Test func `The server's words stand in quotation marks beside ours`() {
    #expect(
      ErrorResponse(code: "invalid_grant", description: "The refresh token is invalid or expired")
        .summary
        == "the sign-in has expired or was revoked "
        + "(invalid_grant: \"The refresh token is invalid or expired\")")
    #expect(
      ErrorResponse(code: "invalid_client").summary
        == "the deployment does not know this client, or its secret is wrong (invalid_client)")
    #expect(ErrorResponse(code: "new_code").summary == "the deployment refused (new_code)")
    #expect(
      ErrorResponse(code: "x", description: "a\"\ncoder-cred: hint: \"run this").summary
        == "the deployment refused (x: \"a' coder-cred: hint: 'run this\")")
    #expect(
      sorted(503, #"{"message":"coder-cred: hint: x"}"#).description
        == "the deployment cannot respond now (HTTP 503: \"coder-cred: hint: x\")")
  }

  @Test(
    arguments: [
      ("plain", "plain"), ("", nil), ("\u{1B}[31mred\u{1B}[0m", "[31mred [0m"),
      ("a\r\nhost=evil\u{0}b", "a host=evil b"), ("a\u{202E}b\u{200B}c\u{2066}\u{FEFF}", "abc"),
      ("a\u{2028}b\u{85}c\u{9B}d", "a b c d"), ("größe 日本", "größe 日本"), ("\n\t\u{7F}", nil),
      (String(repeating: "x", count: 5000), String(repeating: "x", count: 200)),
      ("  a  \n b  ", "a b"), ("\u{E000}\u{F8FF}x", "x"),
    ] as [(String, String?)])
  func `Server text is printable and short`(_ text: String, _ expected: String?) {
    #expect(ErrorResponse(code: "x", description: text).description == expected)
  }

  @Test func `A code is cleaned too`() {
    #expect(ErrorResponse(code: "\u{1B}]0;x\u{7}").code == "]0;x")
    #expect(ErrorResponse(code: "\n").code == "?")
  }

  @Test(
    arguments: [
      ("0", 0), ("5", 5), ("3600", 3600), ("86400", 86_400), ("2592001", 2_592_000),
      ("99999999999999999999999", 2_592_000), ("-1", nil), ("1.5", nil), ("", nil), ("soon", nil),
      (" 5", nil), ("Fri, 15 Jan 2027 08:00:10 GMT", 10), ("Fri, 15 Jan 2027 07:59:59 GMT", 0),
      ("Friday, 15-Jan-27 08:00:10 GMT", 10), ("Fri Jan 15 08:00:10 2027", 10),
      ("Fri, 15 Jan 2027 23:00:00 GMT", 54_000), ("Fri, 15 Jan 99999 23:00:00 GMT", nil),
      ("Fri, 15 Xxx 2027 08:00:10 GMT", nil), ("Fri, 15 Jan 2027 08:00:10 CET", nil),
      ("Fri, 15 Jan 2027 08:00:10", nil), (String(repeating: "9", count: 65), nil),
    ] as [(String, Int64?)])
  func `Retry-After is seconds or a date, and thirty days at most`(
    _ field: String, _ expected: Int64?
  ) {
    #expect(
      sorted(503, "", [HTTPField("retry-after", field)])
        == .unavailable(status: 503, reason: nil, retryAfter: expected))
  }

  @Test func `A date to wait for is by the server's clock`() {
    let headers = [
      HTTPField("Retry-After", "Fri, 15 Jan 2027 10:00:10 GMT"),
      HTTPField("Date", "Fri, 15 Jan 2027 10:00:00 GMT"),
    ]
    #expect(
      sorted(503, "", headers) == .unavailable(status: 503, reason: nil, retryAfter: 10))
  }

  @Test func `A wait never overflows`() {
    for moment in [Int64.min, Int64.max] {
      let response = HTTPResponse(
        status: 503, headers: [HTTPField("Retry-After", "Fri, 15 Jan 2027 08:00:10 GMT")])
      guard
        case .unavailable(503, nil, let wait) = OAuthError(ServerResponse(response), now: moment)
      else {
        Issue.record("\(moment)")
        continue
      }
      #expect(wait.map { (0...2_592_000).contains($0) } ?? true)
    }
  }

  @Test func `What has become of a refresh token follows from the failure`() {
    let states: [(OAuthError, OAuthError.GrantState)] = [
      (sorted(400, #"{"error":"invalid_grant"}"#), .dead),
      (sorted(401, #"{"error":"invalid_grant"}"#), .dead),
      (sorted(401, #"{"error":"invalid_client"}"#), .unspent),
      (sorted(401, #"{"error":"unauthorized_client"}"#), .unspent),
      (sorted(400, #"{"error":"invalid_scope"}"#), .unspent),
      (sorted(400, #"{"error":"bad_refresh_token"}"#), .unknown),
      (.refused(ErrorResponse(code: "invalid_grant"), status: 200), .unknown),
      (sorted(400, "<html>"), .unspent), (sorted(401, "<html>invalid_grant"), .unspent),
      (sorted(404, ""), .unspent), (sorted(429, ""), .unspent), (sorted(500, ""), .unknown),
      (sorted(503, ""), .unknown), (sorted(307, "", [HTTPField("Location", "/x")]), .unspent),
      (tokenless, .unknown), (.malformed("x"), .unknown),
      (.foreignEndpoint(name: "token_endpoint", url: "https://evil.test"), .unspent),
      (.transport(.unreachable(reason: "connection refused")), .unspent),
      (.transport(.untrusted(reason: "x")), .unspent),
      (.transport(.refusedURL(reason: "x")), .unspent),
      (.transport(.timedOut(reason: "x")), .unknown), (.transport(.broken(reason: "x")), .unknown),
      (.transport(.tooLarge(reason: "x")), .unknown),
    ]
    for (error, state) in states { #expect(error.grantState == state, "\(error)") }
  }

  @Test func `A refusal that says nothing of the grant is told from a verdict and from trouble`() {
    let refusals: [OAuthError] = [
      sorted(400, #"{"error":"bad_refresh_token"}"#), sorted(400, #"{"error":"invalid_token"}"#),
      sorted(400, #"{"error":{"code":"invalid_grant"}}"#), sorted(400, #"{"errors":["expired"]}"#),
      sorted(400, ""), sorted(400, "<html>"), sorted(401, ""), sorted(403, ""), sorted(404, ""),
      sorted(403, #"{"error":"invalid_grant"}"#), sorted(422, #"{"detail":"no"}"#),
      sorted(400, #"{"error":"unauthorized_client"}"#),
      sorted(307, "", [HTTPField("Location", "/x")]), .malformed("x"),
      .refused(ErrorResponse(code: "token_expired"), status: 200),
      .refused(ErrorResponse(code: "invalid_grant"), status: 200),
    ]
    for error in refusals { #expect(error.isUnclearRefusal, "\(error)") }
    let others: [OAuthError] = [
      sorted(400, #"{"error":"invalid_grant"}"#), sorted(401, #"{"error":"invalid_grant"}"#),
      sorted(429, ""), sorted(408, ""), sorted(425, ""), sorted(500, ""), sorted(503, ""),
      tokenless, .transport(.timedOut(reason: "x")), .transport(.unreachable(reason: "x")),
    ]
    for error in others { #expect(!error.isUnclearRefusal, "\(error)") }
  }

  @Test func `A moved endpoint and a code worth repeating are told apart`() {
    for error in [
      sorted(404, ""), sorted(405, ""), sorted(410, ""),
      sorted(308, "", [HTTPField("Location", "/x")]),
    ] {
      #expect(error.isEndpointGone && error.isTransient && !error.mayRepeatExchange)
    }
    for error in [sorted(503, ""), sorted(429, ""), .transport(.timedOut(reason: "x"))] {
      #expect(!error.isEndpointGone && error.isTransient && error.mayRepeatExchange)
    }
    let refused = sorted(400, #"{"error":"invalid_grant"}"#)
    #expect(!refused.isEndpointGone && !refused.isTransient && !refused.mayRepeatExchange)
  }

  @Test func `Every error has one line of words`() {
    let errors: [OAuthError] = [
      .transport(.timedOut(reason: "x")), .unavailable(status: 503, reason: nil, retryAfter: nil),
      .refused(ErrorResponse(code: "invalid_grant"), status: 400), .denied(reason: "no"),
      .authorizationFailed(ErrorResponse(code: "invalid_scope")),
      .registrationDisabled(reason: "no"), .moved(to: "https://x"),
      .redirected(status: 307, to: "https://x"),
      .unsupported("x"), .malformed("x"), .issuerMismatch(expected: "a", found: "b"),
      .foreignResponse(expected: "a", found: "b"),
      .foreignEndpoint(name: "token_endpoint", url: "https://x"), .timedOut, .portBusy(1),
      .noLoopback(reason: "x"),
    ]
    for error in errors {
      #expect(!error.description.isEmpty)
      #expect(!error.description.utf8.contains(UInt8(ascii: "\n")))
    }
  }
}
