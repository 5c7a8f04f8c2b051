/// Why an exchange brought no complete response. Texts hold no secret and no response body.
public enum HTTPError: Error, Equatable, Sendable {
  /// The URL may not be used: malformed, not `https`, or `http` to a host that is not loopback.
  /// Nothing was sent.
  case refusedURL(reason: String)
  /// The server on loopback without encryption is another user's, or it cannot be told whose.
  /// Nothing was sent.
  case foreignServer(reason: String)
  /// The settings cannot be used: a CA file, certificate or key that is missing or does not fit,
  /// or a proxy that is not one. Nothing was sent.
  case misconfigured(reason: String)
  /// libcurl is not installed, too old, or cannot do what is needed. Nothing was sent.
  case libraryUnusable(reason: String)
  /// No connection: name not found, refused, not made in time, no TLS handshake, or a proxy that
  /// would not connect. Nothing was sent to the server.
  case unreachable(reason: String)
  /// A timeout passed after connecting: waiting, or reading a body that would not end.
  case timedOut(reason: String)
  /// The server's certificate is not trusted, and why. Nothing was sent.
  case untrusted(reason: String)
  /// The server refused our client certificate, or wants one.
  case clientCertificateRejected(reason: String)
  /// Header fields or body beyond the limit.
  case tooLarge(reason: String)
  /// The connection broke after it stood, or what came back is not a complete HTTP response.
  case broken(reason: String)
}

extension HTTPError {
  /// Whether no part of the request can have reached the server.
  public var wasCertainlyNotSent: Bool {
    switch self {
    case .refusedURL, .foreignServer, .misconfigured, .libraryUnusable, .unreachable, .untrusted:
      true
    // With TLS 1.3 the request may be on its way when the server's alert comes.
    case .timedOut, .clientCertificateRejected, .tooLarge, .broken: false
    }
  }

  /// What happened, in words that hold no secret.
  public var reason: String {
    switch self {
    case .refusedURL(let reason), .foreignServer(let reason), .misconfigured(let reason),
      .libraryUnusable(let reason), .unreachable(let reason), .timedOut(let reason),
      .untrusted(let reason), .clientCertificateRejected(let reason), .tooLarge(let reason),
      .broken(let reason):
      reason
    }
  }
}
