extension HTTPError {
  /// Whether no part of the request can have reached the server.
  ///
  /// A time-out counts as sent: it may have passed at any point of the exchange.
  public var wasCertainlyNotSent: Bool {
    switch self {
    case .refusedURL, .misconfigured, .unreachable, .untrusted: true
    // With TLS 1.3 the request may be on its way when the server's alert comes.
    case .timedOut, .clientCertificateRejected, .tooLarge, .broken: false
    }
  }

  /// What happened, in words that hold no secret.
  public var reason: String {
    switch self {
    case .refusedURL(let reason), .misconfigured(let reason), .unreachable(let reason),
      .timedOut(let reason), .untrusted(let reason), .clientCertificateRejected(let reason),
      .tooLarge(let reason), .broken(let reason):
      reason
    }
  }
}
