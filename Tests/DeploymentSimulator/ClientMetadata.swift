/// The rules of RFC 7591 client metadata as the deployment applies them.
struct ClientMetadata {
  /// What is stored and echoed.
  var document: JSON
  var asksForNoSecret: Bool

  /// A registration request: its metadata, or the response that refuses it.
  enum Reading {
    case metadata(ClientMetadata)
    case refused(Response)
  }

  private static let texts = [
    "client_name", "client_uri", "logo_uri", "tos_uri", "policy_uri", "jwks_uri", "software_id",
    "software_version", "token_endpoint_auth_method", "scope",
  ]
  private static let lists = ["redirect_uris", "grant_types", "response_types", "contacts"]

  /// Reads a request, for a deployment that offers the device grant or not.
  static func read(
    _ body: [UInt8], era: DeploymentSimulator.Era, offersDeviceGrant: Bool = false
  ) -> Reading {
    guard let request = JSON(parsing: body), request.isObject else {
      return .refused(.message(400, "Request body must be valid JSON."))
    }
    for name in texts where request[name] != nil && request[name] != .null {
      guard request[name]?.string != nil else { return malformed(name) }
    }
    for name in lists where request[name] != nil && request[name] != .null {
      guard request[name]?.strings != nil else { return malformed(name) }
    }
    if let problem = problem(request, era, offersDeviceGrant) {
      return .refused(.oauthError(400, "invalid_client_metadata", problem))
    }
    return .metadata(
      ClientMetadata(document: completed(request), asksForNoSecret: method(request) == "none"))
  }

  private static func malformed(_ name: String) -> Reading {
    .refused(
      .message(400, "Request body must be valid JSON.", detail: "cannot unmarshal field \(name)"))
  }

  private static func method(_ request: JSON) -> String {
    let method = request["token_endpoint_auth_method"]?.string ?? ""
    return method.isEmpty ? "client_secret_basic" : method
  }

  private static func list(_ request: JSON, _ name: String, _ standard: [String]) -> [String] {
    let values = request[name]?.strings ?? []
    return values.isEmpty ? standard : values
  }

  private static func problem(
    _ request: JSON, _ era: DeploymentSimulator.Era, _ offersDeviceGrant: Bool
  ) -> String? {
    let redirects = request["redirect_uris"]?.strings ?? []
    if redirects.isEmpty { return "redirect_uris must not be empty" }
    if era == .c && redirects.count > 32 { return "redirect_uris must not exceed 32 entries" }
    let method = method(request)
    guard ["client_secret_basic", "client_secret_post", "none"].contains(method) else {
      return "unsupported token_endpoint_auth_method"
    }
    for (index, text) in redirects.enumerated() {
      let isPublic = method == "none"
      if let why = RedirectURI.problem(text, asksForNoSecret: isPublic, era: era) {
        return "redirect URI at index \(index) \(why)"
      }
    }
    let grants = list(request, "grant_types", ["authorization_code"])
    let known =
      ["authorization_code", "refresh_token"] + (offersDeviceGrant ? [DeviceCode.grantType] : [])
    guard grants.allSatisfy(known.contains),
      grants.contains("authorization_code")
    else { return "unsupported grant_types" }
    guard list(request, "response_types", ["code"]).allSatisfy({ $0 == "code" }) else {
      return "unsupported response_types"
    }
    for name in ["client_uri", "logo_uri", "tos_uri", "policy_uri", "jwks_uri"] {
      guard let text = request[name]?.string, !text.isEmpty else { continue }
      guard let uri = URIReference(text), ["http", "https"].contains(uri.scheme), !uri.host.isEmpty
      else { return "\(name) must be an absolute http or https URL" }
    }
    let scope = request["scope"]?.string ?? ""
    if era == .c && (scope.utf8.count > 4096 || scope.split(separator: " ").count > 100) {
      return "scope is too large"
    }
    return nil
  }

  private static func completed(_ request: JSON) -> JSON {
    var document: JSON = [
      "redirect_uris": .strings(request["redirect_uris"]?.strings ?? []),
      "client_name": .string(clientName(request)),
    ]
    for name in texts
    where !["client_name", "token_endpoint_auth_method", "scope"].contains(name) {
      if let text = request[name]?.string, !text.isEmpty { document.set(name, .string(text)) }
    }
    if let keys = request["jwks"], keys != .null { document.set("jwks", keys) }
    let grants = list(request, "grant_types", ["authorization_code", "refresh_token"])
    document.set("grant_types", .strings(grants))
    document.set("response_types", .strings(list(request, "response_types", ["code"])))
    document.set("token_endpoint_auth_method", .string(method(request)))
    if let scope = request["scope"]?.string, !scope.isEmpty {
      document.set("scope", .string(scope))
    }
    if let contacts = request["contacts"]?.strings, !contacts.isEmpty {
      document.set("contacts", .strings(contacts))
    }
    return document
  }

  /// Names over 64 characters are cut to 64, the last eight of them a hash.
  private static func clientName(_ request: JSON) -> String {
    var name = request["client_name"]?.string ?? ""
    if name.isEmpty, let text = request["client_uri"]?.string {
      name = URIReference(text)?.host ?? ""
    }
    if name.isEmpty { name = "Dynamically Registered Client" }
    guard name.count > 64 else { return name }
    return name.prefix(55) + "-" + SHA256.hexadecimal(name).prefix(8)
  }
}
