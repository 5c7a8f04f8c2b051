public import HTTP
import Secrets

/// What a device shows to a person who decides elsewhere, and what it asks for tokens with until
/// then (RFC 8628 §3.2).
public struct DeviceAuthorization: Sendable, Hashable {
  /// The grant type (RFC 8628 §3.4).
  public static let grantType = "urn:ietf:params:oauth:grant-type:device_code"
  /// The longest user code that is shown, in bytes.
  private static let userCodeLimit = 64
  /// The longest lifetime that is believed, in seconds.
  private static let lifetimeLimit = 3600

  /// What tokens are asked for with.
  let deviceCode: Secret
  /// What the person types where ``verificationURI`` leads.
  public let userCode: String
  /// Where the person decides, on any device.
  public let verificationURI: String
  /// The same with the user code in it, for a QR code; nil when the server gives none.
  public let verificationURIComplete: String?
  /// How long the codes are good, in seconds.
  public let lifetimeSeconds: Int
  /// How long to wait between two requests for tokens, in seconds.
  public let intervalSeconds: Int

  /// Asks for codes (RFC 8628 §3.1).
  ///
  /// - Parameters:
  ///   - endpoint: the device authorization endpoint.
  ///   - authentication: how the client proves itself.
  ///   - scope: the scope asked for; nil leaves it to the server.
  ///   - resource: the resource to name (RFC 8707), if any.
  ///   - policy: where the person may be sent.
  ///   - client: the HTTP client.
  ///   - now: the time in Unix seconds.
  /// - Throws: `refused`, `redirected`, `unavailable`, `malformed`, `foreignEndpoint` or
  ///   `transport`.
  public init(
    from endpoint: TrustedEndpoint, authentication: ClientAuthentication, scope: String?,
    resource: String?, policy: EndpointPolicy, client: any HTTPClient, now: Int64
  ) throws(OAuthError) {
    var form = FormBody()
    form.append("scope", scope)
    form.append("resource", resource)
    let response = try endpoint.exchange(form, as: authentication, client: client)
    guard response.isSuccess else { throw OAuthError(response, now: now) }
    guard let object = JSONObject(given: response.http) else {
      throw .malformed("the device authorization is not a JSON object")
    }
    try self.init(object, policy: policy)
  }

  init(_ object: JSONObject, policy: EndpointPolicy) throws(OAuthError) {
    guard let code = try object.string("device_code"), TokenSyntax.isWord(code, limit: 4096) else {
      throw .malformed("the device authorization lacks a usable device_code")
    }
    guard let userCode = try object.string("user_code"),
      TokenSyntax.isWord(userCode, limit: Self.userCodeLimit)
    else { throw .malformed("the device authorization lacks a usable user_code") }
    // Some servers say verification_url, as drafts did.
    var uri = try object.string("verification_uri")
    if uri == nil { uri = try object.string("verification_url") }
    guard let uri else { throw .malformed("the device authorization lacks verification_uri") }
    deviceCode = Secret(code)
    self.userCode = userCode
    verificationURI = try policy.endpoint(uri, named: "verification_uri").url
    // It is only more convenient.
    if case .string(let complete) = object["verification_uri_complete"] {
      verificationURIComplete = try? policy.endpoint(complete, named: "verification_uri_complete")
        .url
    } else {
      verificationURIComplete = nil
    }
    let lifetime = object["expires_in"]?.double ?? 300
    lifetimeSeconds = Int(min(max(lifetime, 1), Double(Self.lifetimeLimit)))
    // RFC 8628 §3.2: "If no value is provided, clients MUST use 5 as the default."
    let interval = object["interval"]?.double ?? 5
    intervalSeconds = Int(min(max(interval, 1), 60))
  }
}
