extension ServerState {
  var version: String {
    switch era {
    case .a: "v2.30.0+sim"
    case .b: "v2.37.0+sim"
    case .c: "v2.38.0+sim"
    }
  }

  /// RFC 8414, in the order the real document lists its keys.
  var serverMetadata: JSON {
    var methods = ["client_secret_basic", "client_secret_post"]
    if era == .c { methods.append("none") }
    var document: JSON = [
      "issuer": .string(accessURL),
      "authorization_endpoint": .string(link("/oauth2/authorize")),
      "token_endpoint": .string(link("/oauth2/tokens")),
    ]
    if era == .a || settings.dynamicRegistrationEnabled {
      document.set("registration_endpoint", .string(link("/oauth2/register")))
    }
    document.set("revocation_endpoint", .string(link("/oauth2/revoke")))
    document.set("response_types_supported", ["code"])
    var grants = ["authorization_code", "refresh_token"]
    if settings.deviceGrantOffered {
      document.set("device_authorization_endpoint", .string(link("/oauth2/device_authorization")))
      grants.append(DeviceCode.grantType)
    }
    document.set("grant_types_supported", .strings(grants))
    document.set("code_challenge_methods_supported", ["S256"])
    document.set("scopes_supported", .strings(settings.scopeCatalog.sorted()))
    document.set("token_endpoint_auth_methods_supported", .strings(methods))
    return document
  }

  /// RFC 9728.
  var resourceMetadata: JSON {
    [
      "resource": .string(accessURL), "authorization_servers": [.string(accessURL)],
      "scopes_supported": .strings(settings.scopeCatalog.sorted()),
      "bearer_methods_supported": ["header", "query"],
    ]
  }

  var buildInformation: JSON {
    var document: JSON = [
      "version": .string(version), "external_url": "https://github.com/coder/coder",
      "dashboard_url": .string(accessURL), "deployment_id": "6b0b9e0c-0000-4000-8000-000000000000",
      "telemetry": false, "workspace_proxy": false, "agent_api_version": "1.0",
      "provisioner_api_version": "1.0", "upgrade_message": "", "webpush_public_key": "",
    ]
    if era == .c { document.set("oauth2_provider", .bool(settings.providerEnabled)) }
    return document
  }
}
