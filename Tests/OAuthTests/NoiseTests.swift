import HTTP
import Testing

@testable import OAuth

/// A generator whose noise can be made again.
struct Noise: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ (state >> 29)
  }
}

@Suite struct `Noise from outside` {
  private static let samples = [
    #"{"access_token":"a-b","token_type":"Bearer","expires_in":86400,"expiry":"2027-01-15T09:00:00.5+01:00","refresh_token":"r","scope":"a b"}"#,
    metadataJSON(),
    "GET /callback?code=x&state=y%20z HTTP/1.1\r\nHost: 127.0.0.1:5\r\nA: b\r\n\r\n",
    "https://user@[::1]:8443/a/b?c=d&e=%41#f",
    #"{"error":"invalid_grant","error_description":"\u001b[0m\ud83d\ude00"}"#,
  ]

  @Test(arguments: 1...4)
  func `Damaged input is refused or read, never a crash`(_ seed: UInt64) {
    var noise = Noise(state: seed)
    for _ in 0..<150 {
      for sample in Self.samples {
        var bytes = Array(sample.utf8)
        for _ in 0..<Int.random(in: 0...4, using: &noise) {
          let place = Int.random(in: 0..<bytes.count, using: &noise)
          switch Int.random(in: 0...3, using: &noise) {
          case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &noise)
          case 1: bytes.remove(at: place)
          case 2: bytes.insert(bytes[place], at: place)
          default: bytes += bytes[..<place]
          }
          if bytes.isEmpty { break }
        }
        let text = String(decoding: bytes, as: UTF8.self)
        if let tokens = try? TokenResponse(
          ServerResponse(HTTPResponse(status: 200, body: bytes)), requestedScope: nil, now: now)
        {
          #expect(tokens.expiresAt.map { $0 > now } ?? true)
        }
        _ = try? AuthorizationServerMetadata(document: bytes, policy: policy())
        _ = OAuthError(ServerResponse(HTTPResponse(status: 400, body: bytes)), now: now)
        _ = CallbackRequest.read(bytes)
        _ = QueryParameters(text)
        if let endpoint = Endpoint(text) {
          #expect(!endpoint.url.contains("#") && !endpoint.origin.host.contains("@"))
        }
        _ = Timestamp.seconds(text)
        _ = RetryAfter.seconds(
          HTTPResponse(status: 503, headers: [HTTPField("Retry-After", text)]), now: now)
      }
    }
  }
}
