import HTTP
import Secrets

/// The server's own account of a failure (RFC 6749 §5.2, §4.1.2.1; RFC 7591 §3.2.2).
public struct ErrorResponse: Sendable, Hashable {
  /// The `error` code, cleaned.
  public let code: String
  /// The server's explanation, cleaned: printable, at most 200 characters.
  public let description: String?

  /// Makes a response from a server's words, cleaning both.
  public init(code: String, description: String? = nil) {
    self.code = ForeignText.quotation(code) ?? "unknown"
    self.description = description.flatMap { ForeignText.quotation($0) }
  }

  /// The code, grant or refresh token is invalid, expired, revoked or another client's.
  public static let invalidGrant = "invalid_grant"
  /// The client is unknown, or its secret is wrong.
  public static let invalidClient = "invalid_client"
  /// The request lacks something, repeats something, or holds something unknown.
  public static let invalidRequest = "invalid_request"
  /// The scope is unknown or more than what was granted.
  public static let invalidScope = "invalid_scope"
  /// The resource is not what the grant is for (RFC 8707).
  public static let invalidTarget = "invalid_target"
  /// This client may not use this grant.
  public static let unauthorizedClient = "unauthorized_client"
  /// The server does not know this grant.
  public static let unsupportedGrantType = "unsupported_grant_type"
  /// The server does not answer with codes.
  public static let unsupportedResponseType = "unsupported_response_type"
  /// The server cannot revoke this kind of token (RFC 7009).
  public static let unsupportedTokenType = "unsupported_token_type"
  /// The person, or the server for them, declined.
  public static let accessDenied = "access_denied"
  /// The registration access token is no longer good (RFC 6750).
  public static let invalidToken = "invalid_token"
  /// Something broke on the server.
  public static let serverError = "server_error"
  /// The server is busy or down for a while.
  public static let temporarilyUnavailable = "temporarily_unavailable"

  /// The server's explanation, or ours for a code we know, in one line.
  public var summary: String {
    if let description { return "\(description) (\(code))" }
    let text =
      switch code {
      case Self.invalidGrant: "the sign-in has expired or was revoked"
      case Self.invalidClient: "the deployment does not know this client, or its secret is wrong"
      case Self.invalidRequest: "the deployment found the request malformed"
      case Self.invalidScope: "the scope is unknown or more than was granted"
      case Self.invalidTarget: "the deployment does not know this resource"
      case Self.unauthorizedClient: "this client may not sign in this way"
      case Self.unsupportedGrantType: "the deployment does not know this grant"
      case Self.unsupportedResponseType: "the deployment does not answer with codes"
      case Self.unsupportedTokenType: "the deployment cannot revoke this kind of token"
      case Self.accessDenied: "access was denied"
      case Self.invalidToken: "the registration access token is no longer good"
      case Self.serverError: "something broke on the deployment"
      case Self.temporarilyUnavailable: "the deployment is busy"
      default: "unknown OAuth error"
      }
    return "\(text) (\(code))"
  }

  /// Whether the code speaks of a passing trouble, whatever the status.
  var isTemporary: Bool { code == Self.serverError || code == Self.temporarilyUnavailable }

  /// Reads a body's `error` and `error_description`; nil when it has no such error.
  init?(_ object: JSONObject) {
    guard case .string(let code) = object["error"] else { return nil }
    var description: String?
    if case .string(let text) = object["error_description"] { description = text }
    self.init(code: code, description: description)
  }
}

extension OAuthError {
  /// Sorts an answer that is not the success a request was waiting for.
  ///
  /// A verdict needs one of the statuses that carry verdicts and an OAuth `error`. All else leaves
  /// the question open, so that a proxy's page, a rate limit or a provider switched off for an hour
  /// never costs anyone their session.
  ///
  /// - Parameters:
  ///   - answer: the answer.
  ///   - verdicts: the statuses whose `error` is final at this endpoint.
  ///   - now: the time in Unix seconds, for a `Retry-After` that names a date.
  init(answer: HTTPResponse, verdicts: Set<Int> = [400, 401], now: Int64) {
    let object = JSONObject(answer.body)
    let response = object.flatMap(ErrorResponse.init)
    if let response, verdicts.contains(answer.status), !response.isTemporary {
      self = .refused(response, status: answer.status)
      return
    }
    self = .unavailable(
      status: answer.status, reason: response?.description ?? object.flatMap(Self.message),
      retryAfter: RetryAfter.seconds(answer.header("Retry-After"), now: now))
  }

  /// The `message` with which a deployment's other half, its own API, explains a failure.
  static func message(_ object: JSONObject) -> String? {
    guard case .string(let text) = object["message"] else { return nil }
    return ForeignText.quotation(text)
  }
}
