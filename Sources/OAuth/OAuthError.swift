public import HTTP

/// Why an OAuth step failed, sorted so that a caller can decide what to do next.
///
/// Texts hold no secret and no response body. What a server says about itself is cleaned: printable
/// characters only, at most 200.
public enum OAuthError: Error, Equatable, Sendable {
  /// The request brought no answer.
  case transport(HTTPError)

  /// The answer decides nothing: 404, 408, 429, 5xx, or no OAuth answer at all. Keep what you have
  /// and try later; `retryAfter` is what the server asks for, in seconds, at most an hour.
  case unavailable(status: Int, reason: String?, retryAfter: Int64?)

  /// The server's verdict on this request; asking again brings the same.
  case refused(ErrorResponse, status: Int)

  /// The person, or the server for them, declined (`access_denied`).
  case denied(reason: String?)

  /// The authorization ended with an error other than `access_denied`.
  case authorizationFailed(ErrorResponse)

  /// The server takes no new clients by itself: an administrator must enable that or make one.
  case registrationDisabled

  /// The deployment offers no OAuth at all, and what it does instead.
  case notOffered(String)

  /// The server lacks something that this program needs.
  case unsupported(String)

  /// The server broke the protocol.
  case malformed(String)

  /// The metadata belongs to another issuer than the deployment asked for.
  case issuerMismatch(expected: String, found: String)

  /// The answer names another issuer than the one that was asked (RFC 9207).
  case foreignAnswer(expected: String, found: String)

  /// An endpoint is neither on the issuer's origin nor on an allowed one.
  case foreignEndpoint(name: String, url: String)

  /// The sign-in was completed in another way, and needs no answer any more.
  case superseded

  /// The person interrupted the wait.
  case interrupted

  /// The deadline passed before the browser came back.
  case timedOut

  /// Another program listens on the port.
  case portBusy(UInt16)

  /// The loopback interface cannot be used; the operating system's reason.
  case noLoopback(reason: String)
}

extension OAuthError: CustomStringConvertible {
  /// The failure in one line of plain words.
  public var description: String {
    switch self {
    case .transport(let error): "no answer: \(error)"
    case .unavailable(let status, let reason, _):
      "the deployment cannot answer now (HTTP \(status)\(reason.map { ": " + $0 } ?? ""))"
    case .refused(let response, _): response.summary
    case .denied(let reason): "access was denied\(reason.map { ": " + $0 } ?? "")"
    case .authorizationFailed(let response): response.summary
    case .registrationDisabled: "the deployment takes no new OAuth clients"
    case .notOffered(let what): "the deployment offers no OAuth: \(what)"
    case .unsupported(let what): what
    case .malformed(let what): what
    case .issuerMismatch(let expected, let found):
      "the metadata of \(expected) belongs to \(found)"
    case .foreignAnswer(let expected, let found):
      "the answer comes from \(found), not from \(expected)"
    case .foreignEndpoint(let name, let url): "the \(name) is on another site: \(url)"
    case .superseded: "the sign-in was completed elsewhere"
    case .interrupted: "interrupted"
    case .timedOut: "the browser did not come back in time"
    case .portBusy(let port): "port \(port) is in use by another program"
    case .noLoopback(let reason): "cannot listen on 127.0.0.1: \(reason)"
    }
  }
}

extension HTTPClient {
  /// Sends a request; the module's one funnel from `HTTPError`.
  func exchange(_ request: HTTPRequest) throws(OAuthError) -> HTTPResponse {
    do {
      return try send(request)
    } catch {
      throw .transport(error)
    }
  }
}
