public import HTTP

/// Why an OAuth step failed, sorted so that a caller can decide what to do next.
///
/// Texts hold no secret and no response body. What a server says about itself is cleaned
/// (printable, at most 200 characters, without the secrets of the request) and quoted.
public enum OAuthError: Error, Equatable, Sendable {
  /// The request brought no response.
  case transport(HTTPError)

  /// The response decides nothing: 404, 408, 429, 5xx, or no OAuth response at all. Keep what you
  /// have and try later; `retryAfter` is what the server asks for, in seconds, at most thirty days.
  case unavailable(status: Int, reason: String?, retryAfter: Int64?)

  /// The endpoint redirects, which no request with a secret follows; where to, without the query.
  case redirected(status: Int, to: String)

  /// The server's verdict on this request in its own JSON; asking again brings the same.
  case refused(ErrorResponse, status: Int)

  /// The person, or the server for them, declined (`access_denied`).
  case denied(reason: String?)

  /// The authorization ended with an error other than `access_denied`.
  case authorizationFailed(ErrorResponse)

  /// The server takes no new clients by itself, and its reason if it gave one: an administrator
  /// must enable that or make one.
  case registrationDisabled(reason: String?)

  /// The deployment offers no OAuth at all, and what it does instead.
  case notOffered(String)

  /// The deployment's metadata is at another address: the URL to sign in to.
  case moved(to: String)

  /// The server lacks something that this program needs.
  case unsupported(String)

  /// The server broke the protocol.
  case malformed(String)

  /// The metadata belongs to another issuer than the deployment asked for.
  case issuerMismatch(expected: String, found: String)

  /// The response names another issuer than the one that was asked (RFC 9207).
  case foreignResponse(expected: String, found: String)

  /// An endpoint belongs neither to the deployment nor to what the user allowed.
  case foreignEndpoint(name: String, url: String)

  /// The sign-in was completed in another way, and needs no response any more.
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
    case .transport(let error): "no response: \(error.reason)"
    case .unavailable(let status, let reason, _) where (200..<300).contains(status):
      reason ?? "the deployment's response is not its own (HTTP \(status))"
    case .unavailable(let status, let reason, _):
      "the deployment cannot respond now (HTTP \(status)\(Self.quoted(reason)))"
    case .redirected(let status, let target):
      "the address was redirected (HTTP \(status)) to \(target), and a redirect is not followed"
    case .refused(let response, _): response.summary
    case .denied(let reason): "access was denied\(Self.quoted(reason))"
    case .authorizationFailed(let response): response.summary
    case .registrationDisabled(let reason):
      "the deployment takes no new OAuth clients by itself\(Self.quoted(reason))"
    case .notOffered(let what): "the deployment offers no OAuth: \(what)"
    case .moved(let url): "the deployment is at another address: \(url)"
    case .unsupported(let what): what
    case .malformed(let what): what
    case .issuerMismatch(let expected, let found):
      "the metadata of \(expected) belongs to \(found)"
    case .foreignResponse(let expected, let found):
      "the response comes from \(found), not from \(expected)"
    case .foreignEndpoint(let name, let url): "the \(name) is not part of the deployment: \(url)"
    case .superseded: "the sign-in was completed elsewhere"
    case .interrupted: "interrupted"
    case .timedOut: "the browser did not come back in time"
    case .portBusy(let port): "port \(port) is in use by another program"
    case .noLoopback(let reason): "cannot listen on 127.0.0.1: \(reason)"
    }
  }

  /// The server's own words, which must not read as ours.
  private static func quoted(_ reason: String?) -> String {
    reason.map { ": \"\($0.replacing("\"", with: "'"))\"" } ?? ""
  }
}
