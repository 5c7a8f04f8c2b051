import HTTP
import Secrets

/// The server's own account of a failure (RFC 6749 §5.2, §4.1.2.1; RFC 7591 §3.2.2).
public struct ErrorResponse: Sendable, Hashable {
  /// The `error` code, cleaned.
  public let code: String
  /// The server's explanation, cleaned: printable, at most 200 characters, without secrets of ours.
  public let description: String?

  /// Makes a response from a server's words, cleaning both.
  public init(code: String, description: String? = nil) {
    self.code = ForeignText.label(code)
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
  /// The server does not respond with codes.
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

  /// Our words for the code with the server's quoted, in one line.
  ///
  /// The server's words stand in quotation marks, so that they cannot be taken for ours.
  public var summary: String {
    "\(meaning) (\(code)\(description.map { ": \"\($0.replacing("\"", with: "'"))\"" } ?? ""))"
  }

  private var meaning: String {
    switch code {
    case Self.invalidGrant: "the sign-in has expired or was revoked"
    case Self.invalidClient: "the deployment does not know this client, or its secret is wrong"
    case Self.invalidRequest: "the deployment found the request malformed"
    case Self.invalidScope: "the scope is unknown or more than was granted"
    case Self.invalidTarget: "the deployment does not know this resource"
    case Self.unauthorizedClient: "this client may not sign in this way"
    case Self.unsupportedGrantType: "the deployment does not know this grant"
    case Self.unsupportedResponseType: "the deployment does not respond with codes"
    case Self.unsupportedTokenType: "the deployment cannot revoke this kind of token"
    case Self.accessDenied: "access was denied"
    case Self.invalidToken: "the registration access token is no longer good"
    case Self.serverError: "something broke on the deployment"
    case Self.temporarilyUnavailable: "the deployment is busy"
    default: "the deployment refused"
    }
  }

  /// Whether it says, under this status, that the server does not know the client or that its secret
  /// is wrong.
  ///
  /// RFC 6749 §5.2 has `invalid_client` for that. Keycloak says `unauthorized_client`, and the status
  /// 401, which is for nothing but a client that could not prove itself, tells what is meant.
  func isAboutAuthentication(status: Int) -> Bool {
    code == Self.invalidClient || (code == Self.unauthorizedClient && status == 401)
  }

  /// Whether a registration was refused for what it asked for (RFC 7591 §3.2.2).
  public var isAboutClientMetadata: Bool {
    [
      "invalid_client_metadata", "invalid_redirect_uri", "invalid_software_statement",
      "unapproved_software_statement",
    ].contains(code)
  }

  /// Whether the code speaks of a passing trouble, whatever the status.
  var isTemporary: Bool { code == Self.serverError || code == Self.temporarilyUnavailable }

  /// Reads the `error` and `error_description` of a response; nil when it has no such error.
  init?(_ object: JSONObject, of response: ServerResponse) {
    guard case .string(let code) = object["error"] else { return nil }
    var description: String?
    if case .string(let text) = object["error_description"] {
      description = response.quotation(text)
    }
    self.init(code: response.quotation(code) ?? "", description: description)
  }
}

extension OAuthError {
  /// Sorts a response that is not the success a request was waiting for.
  ///
  /// A verdict needs one of the statuses that carry verdicts and an OAuth `error` in a JSON object.
  /// All else leaves the question open, so that a proxy's page, a rate limit or a provider switched
  /// off for an hour never costs anyone their session.
  ///
  /// - Parameters:
  ///   - response: the response.
  ///   - verdicts: the statuses whose `error` is final at this endpoint.
  ///   - now: the time in Unix seconds, for a `Retry-After` that names a date.
  init(_ response: ServerResponse, verdicts: Set<Int> = [400, 401], now: Int64) {
    let status = response.status
    if (300..<400).contains(status), status != 304, let location = response.http.header("Location")
    {
      self = .redirected(status: status, to: Self.withoutQuery(location, of: response))
      return
    }
    let object = JSONObject(response.http.body)
    let error = object.flatMap { ErrorResponse($0, of: response) }
    if let error, verdicts.contains(status), !error.isTemporary {
      self = .refused(error, status: status)
      return
    }
    self = .unavailable(
      status: status,
      reason: error?.description ?? object.flatMap { Self.message(of: $0, in: response) },
      retryAfter: RetryAfter.seconds(response.http, now: now))
  }

  /// The `message` with which a deployment's other half, its own API, explains a failure.
  static func message(of object: JSONObject, in response: ServerResponse) -> String? {
    guard case .string(let text) = object["message"] else { return nil }
    return response.quotation(text)
  }

  /// Where a redirect leads. Its query may hold anything, even what we sent.
  private static func withoutQuery(_ location: String, of response: ServerResponse) -> String {
    response.quotation(String(location.prefix { $0 != "?" && $0 != "#" })) ?? "nowhere"
  }
}
