import Foundation

extension ServerState {
  /// `/api/v2/oauth2-provider`: what an owner does with applications by hand.
  mutating func administration(
    _ request: Request, _ words: [String], _ key: APIKey
  ) -> Response {
    guard key.user == settings.users.first else { return .message(403, "Forbidden.") }
    let body = JSON(parsing: request.body)
    switch (request.method, words.first, words.count) {
    case ("GET", "settings", 1): return settingsResponse
    case ("PUT", "settings", 1):
      guard let enabled = body?["dynamic_client_registration_enabled"]?.bool else {
        return .message(400, "Validation failed.")
      }
      settings.dynamicRegistrationEnabled = enabled
      return settingsResponse
    case ("GET", "apps", 1):
      return .json(200, .array(clients.values.sorted { $0.id < $1.id }.map(applicationJSON)))
    case ("POST", "apps", 1):
      let single = body?["callback_url"]?.string.map { [$0] }
      guard let name = body?["name"]?.string,
        let uris = (era == .c ? body?["redirect_uris"]?.strings : nil) ?? single
      else { return .message(400, "Validation failed.") }
      let client = addApplication(name, uris, body?["scope"]?.string, secrets: 0)
      return .json(201, applicationJSON(client))
    default: break
    }
    guard words.first == "apps", words.count > 1, let client = clients[words[1].lowercased()] else {
      return .message(404, "OAuth2 application not found.")
    }
    switch (request.method, words.count) {
    case ("GET", 2): return .json(200, applicationJSON(client))
    case ("DELETE", 2):
      deleteClient(client.id)
      return .empty(204)
    case ("POST", 3) where words[2] == "secrets":
      let secret = prefixedSecret()
      clients[client.id]?.secrets.append(secret)
      return .json(
        201,
        ["id": .string(UUID().uuidString.lowercased()), "client_secret_full": .string(secret)])
    default: return .routeNotFound
    }
  }

  private var settingsResponse: Response {
    .json(
      200, ["dynamic_client_registration_enabled": .bool(settings.dynamicRegistrationEnabled)])
  }

  /// Admin-made applications are always confidential.
  mutating func addApplication(
    _ name: String, _ redirectURIs: [String], _ scope: String?, secrets: Int = 1
  ) -> OAuthClient {
    var document: JSON = [
      "client_name": .string(name), "redirect_uris": .strings(redirectURIs),
      "token_endpoint_auth_method": "client_secret_basic",
    ]
    if let scope { document.set("scope", .string(scope)) }
    let client = addClient(
      ClientMetadata(document: document, asksForNoSecret: false), isDynamic: false)
    if secrets == 0 { clients[client.id]?.secrets = [] }
    return client
  }

  private func applicationJSON(_ client: OAuthClient) -> JSON {
    [
      "id": .string(client.id), "name": .string(client.name),
      "callback_url": .string(client.redirectURIs.first ?? ""), "icon": "",
      "endpoints": [
        "authorization": .string(link("/oauth2/authorize")),
        "token": .string(link("/oauth2/tokens")),
        "token_revoke": .string(link("/oauth2/revoke")), "device_authorization": "",
      ],
    ]
  }
}
