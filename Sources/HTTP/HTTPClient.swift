/// The seam between the program and the network: one blocking exchange.
public protocol HTTPClient {
  /// Sends a request and returns the whole answer, whatever its status.
  ///
  /// Redirects are answers like any other and are never followed.
  ///
  /// - Parameter request: the request to send.
  /// - Returns: the answer, complete and within the client's limits.
  /// - Throws: `HTTPError` when there is no complete answer.
  func send(_ request: HTTPRequest) throws(HTTPError) -> HTTPResponse
}

/// Why an exchange brought no complete answer. Texts hold no secret and no response body.
public enum HTTPError: Error, Equatable, Sendable {
  /// The URL may not be used: malformed, not `https`, or `http` to a host that is not loopback.
  case refusedURL(reason: String)
  /// The settings cannot be used: a CA file, certificate or key that is missing or does not fit.
  case misconfigured(reason: String)
  /// No connection: name not found, refused, broken in the TLS handshake, or a proxy that would not
  /// connect. Nothing was sent.
  case unreachable(reason: String)
  /// A deadline passed: connecting, waiting, or reading a body that would not end.
  case timedOut(reason: String)
  /// The server's certificate is not trusted, and why.
  case untrusted(reason: String)
  /// The server refused our client certificate, or wants one.
  case clientCertificateRejected(reason: String)
  /// Header fields or body beyond the limit.
  case tooLarge(reason: String)
  /// The connection broke after it stood, or what came back is not a complete HTTP answer.
  case broken(reason: String)
}
