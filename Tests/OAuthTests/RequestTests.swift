import Basics
import Foundation
import HTTP
import Secrets
import Testing

@testable import OAuth

@Suite struct `Proof keys` {
  @Test func `The verifier and challenge of RFC 7636 Appendix B come out`() {
    let octets: [UInt8] = [
      116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77,
      105, 214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
    ]
    let verifier = CodeVerifier(octets: octets)
    #expect(verifier.value == Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"))
    #expect(verifier.challenge.value == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    #expect(CodeChallenge.method == "S256")
  }

  @Test func `Verifiers and states are long, plain and never the same`() {
    let verifiers = Set((0..<200).map { _ in CodeVerifier().value.revealed })
    #expect(verifiers.count == 200)
    #expect(verifiers.allSatisfy { $0.wholeMatch(of: /[A-Za-z0-9_-]{43}/) != nil })
    let states = Set((0..<200).map { _ in State().value })
    #expect(states.count == 200)
    #expect(states.allSatisfy { $0.wholeMatch(of: /[A-Za-z0-9_-]{32}/) != nil })
  }

  @Test func `A state matches itself and shows itself to no one`() {
    let state = State()
    #expect(state.matches(state.value))
    #expect(!state.matches(""))
    #expect(!state.matches(state.value + "x"))
    #expect(!state.matches(String(state.value.dropLast())))
    #expect(!"\(state)".contains(state.value))
  }
}

@Suite struct `Form encoding` {
  @Test(arguments: [
    ("", ""), ("aZ09-._", "aZ09-._"), ("a b", "a+b"), ("a+b&c=d%", "a%2Bb%26c%3Dd%25"),
    ("http://127.0.0.1:1/callback", "http%3A%2F%2F127.0.0.1%3A1%2Fcallback"),
    (" %&+£€", "+%25%26%2B%C2%A3%E2%82%AC"), ("\r\n\u{0}", "%0D%0A%00"),
  ])
  func `Values are encoded as RFC 6749 Appendix B shows`(_ value: String, _ expected: String) {
    #expect(PercentEncoding.encodeForm(value) == expected)
    #expect(PercentEncoding.decodeForm(expected.utf8) == value)
  }

  private func sent(_ client: ClientAuthentication) throws -> HTTPRequest {
    let url = "https://dev.coder.com/oauth2/tokens"
    return try policy().endpoint(url, named: "token_endpoint").post(FormBody(), as: client).http
  }

  @Test func `Basic authentication encodes before it joins`() throws {
    let request = try sent(.basic(id: "a:b", secret: Secret("p@ss w%rd/+é")))
    let encoded = Data("a%3Ab:p%40ss+w%25rd%2F%2B%C3%A9".utf8).base64EncodedString()
    #expect(request.headers.contains(HTTPField("Authorization", "Basic \(encoded)")))
  }

  @Test func `A client proves itself in exactly one way`() throws {
    func form(_ client: ClientAuthentication) throws -> String {
      String(decoding: try sent(client).body ?? [], as: UTF8.self)
    }
    #expect(try form(.identifier("c")) == "client_id=c")
    #expect(try form(.post(id: "c", secret: Secret("s&"))) == "client_id=c&client_secret=s%26")
    #expect(try form(.basic(id: "c", secret: Secret("s"))).isEmpty)
    for client in [.identifier("c"), .post(id: "c", secret: Secret("s"))] as [ClientAuthentication]
    {
      #expect(try !sent(client).headers.contains { $0.name == "Authorization" })
    }
  }

  @Test func `Printing a request or a client shows no secret`() throws {
    let authentication = ClientAuthentication.basic(id: "c", secret: Secret("canary"))
    let grant = TokenRequest.refreshToken(Secret("canary"), scope: nil, resource: nil)
    let request = try policy().endpoint("https://dev.coder.com/t", named: "token_endpoint")
      .post(grant.form, as: authentication).http
    var dumped = ""
    dump(request, to: &dumped)
    dump(authentication, to: &dumped)
    dump(grant, to: &dumped)
    dump(CodeVerifier(), to: &dumped)
    #expect(!"\(request)\(authentication)\(dumped)".contains("canary"))
  }
}
