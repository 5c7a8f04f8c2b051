import Foundation

extension ServerState {
  /// RFC 7591.
  mutating func register(_ request: Request) -> Response {
    guard request.method == "POST" else { return .empty(405) }
    // Era A knows no switch for registration.
    if era > .a && !settings.dynamicRegistrationEnabled {
      return .oauthError(403, "invalid_request", "Dynamic client registration is disabled")
    }
    switch ClientMetadata.read(
      request.body, era: era, offersDeviceGrant: settings.deviceGrantOffered)
    {
    case .refused(let response): return response
    case .metadata(let metadata):
      let client = addClient(metadata, isDynamic: true)
      return .json(201, registrationJSON(client, full: true))
    }
  }

  mutating func addClient(_ metadata: ClientMetadata, isDynamic: Bool) -> OAuthClient {
    // Before era C every client is confidential, whatever it asked for.
    let isPublic = isDynamic && era == .c && metadata.asksForNoSecret
    let client = OAuthClient(
      id: UUID().uuidString.lowercased(), isDynamic: isDynamic, isPublic: isPublic,
      secrets: isPublic ? [] : [prefixedSecret()],
      registrationToken: isDynamic ? registrationAccessToken() : nil, issuedAt: Int(now),
      metadata: metadata.document)
    clients[client.id] = client
    return client
  }

  /// `full` adds what only the registration itself tells: the secret and the registration token.
  private func registrationJSON(_ client: OAuthClient, full: Bool) -> JSON {
    var json: JSON = ["client_id": .string(client.id)]
    if full, let secret = client.secrets.first { json.set("client_secret", .string(secret)) }
    // RFC 7591 requires client_secret_expires_at with a secret; the real server omits a zero.
    json.set("client_id_issued_at", .integer(client.issuedAt))
    if case .object(let members) = client.metadata {
      for member in members { json.set(member.name, member.value) }
    }
    if era == .c {
      // The reported method follows the enforced type.
      let stored = client.metadata["token_endpoint_auth_method"]?.string ?? ""
      let method = client.isPublic ? "none" : stored == "none" ? "client_secret_basic" : stored
      json.set("token_endpoint_auth_method", .string(method))
    }
    if full, let token = client.registrationToken {
      json.set("registration_access_token", .string(token))
    }
    json.set("registration_client_uri", .string(link("/oauth2/clients/" + client.id)))
    return json
  }

  /// RFC 7592.
  mutating func clientConfiguration(_ request: Request) -> Response {
    let text = String(request.path.dropFirst("/oauth2/clients/".count))
    guard let id = UUID(uuidString: text)?.uuidString.lowercased() else {
      return .oauthError(400, "invalid_client_id", "The client ID is not a UUID")
    }
    guard ["GET", "PUT", "DELETE"].contains(request.method) else { return .empty(405) }
    // The prefix is compared with its case here, unlike at the API.
    guard let header = request.header("Authorization"), header.hasPrefix("Bearer ") else {
      return .oauthError(401, "invalid_token", "Missing or invalid Authorization header")
    }
    guard let client = clients[id] else {
      return .oauthError(401, "invalid_token", "Client not found")
    }
    guard client.isDynamic else {
      return .oauthError(403, "invalid_token", "Client was not dynamically registered")
    }
    guard header.dropFirst("Bearer ".count) == client.registrationToken ?? "" else {
      return .oauthError(401, "invalid_token", "Invalid registration access token")
    }
    switch request.method {
    case "DELETE":
      deleteClient(id)
      return .empty(204)
    case "PUT": return replaceClient(client, request.body)
    default: return .json(200, registrationJSON(client, full: false))
    }
  }

  private mutating func replaceClient(_ client: OAuthClient, _ body: [UInt8]) -> Response {
    switch ClientMetadata.read(
      body, era: era, offersDeviceGrant: settings.deviceGrantOffered)
    {
    case .refused(let response): return response
    case .metadata(let metadata):
      let wasNone = client.metadata["token_endpoint_auth_method"]?.string == "none"
      // A confidential client stored with `none` is an older server's and may resend it.
      let staysConfidential = !client.isPublic && (!metadata.asksForNoSecret || wasNone)
      let staysPublic = client.isPublic && metadata.asksForNoSecret
      if era == .c && !staysConfidential && !staysPublic {
        return .oauthError(
          400, "invalid_client_metadata",
          "cannot move an existing client between public and confidential")
      }
      var changed = client
      changed.metadata = metadata.document
      clients[client.id] = changed
      return .json(200, registrationJSON(changed, full: false))
    }
  }
}
