import Synchronization

/// A device that waits for a person's decision (RFC 8628).
struct DeviceCode: Sendable {
  static let grantType = "urn:ietf:params:oauth:grant-type:device_code"

  enum Decision: Sendable {
    case none
    case allowed(user: String)
    case denied
  }

  var code: String
  /// What the person types.
  var userCode: String
  var client: String
  var scopes: [String]?
  var resource: String?
  var expiresAt: Double
  var interval: Int
  var askedAt: Double?
  var decision = Decision.none
}

extension ServerState {
  /// RFC 8628 section 3.1 and 3.2.
  mutating func deviceAuthorization(_ request: Request) -> Response {
    guard request.method == "POST" else { return .empty(405) }
    do throws(TokenFailure) {
      let client = try presentedClient(request)
      if !client.isPublic {
        guard let secret = try presentedSecret(request), isAuthentic(secret, of: client) else {
          throw invalidClient
        }
      }
      guard client.metadata["grant_types"]?.strings?.contains(DeviceCode.grantType) == true else {
        throw TokenFailure("unauthorized_client", "The client may not use the device grant")
      }
      let result = Scopes.negotiate(
        requested: request.form["scope"], allowlist: client.allowlist,
        catalog: settings.scopeCatalog)
      if let problem = result.problem { throw TokenFailure("invalid_scope", problem) }
      let userCode = makeUserCode()
      let device = DeviceCode(
        code: prefixedSecret(), userCode: userCode, client: client.id, scopes: result.granted,
        resource: request.form["resource"], expiresAt: now + Double(settings.codeLifetime),
        interval: settings.deviceInterval)
      deviceCodes[device.code] = device
      let page = link("/oauth2/device")
      return .json(
        200,
        [
          "device_code": .string(device.code), "user_code": .string(userCode),
          "verification_uri": .string(page),
          "verification_uri_complete": .string("\(page)?user_code=\(userCode)"),
          "expires_in": .integer(settings.codeLifetime),
          "interval": .integer(settings.deviceInterval),
        ])
    } catch {
      return error.response
    }
  }

  /// RFC 8628 section 6.1 recommends letters that make no words and are not mistaken.
  private func makeUserCode() -> String {
    let letters = Array("BCDFGHJKLMNPQRSTVWXZ")
    let all = (0..<8).map { _ in letters[Int.random(in: 0..<letters.count)] }
    return "\(String(all[..<4]))-\(String(all[4...]))"
  }

  /// RFC 8628 section 3.3: the page where a person types the user code.
  mutating func devicePage(_ request: Request) -> Response {
    guard let session = session(of: request) else { return login(request) }
    let typed = request.form["user_code"] ?? request.query["user_code"] ?? ""
    guard request.method == "POST" else {
      return .html(
        200,
        "<!doctype html><title>Connect a device</title><form method=\"post\">"
          + "<input name=\"user_code\" value=\"\(Page.escaped(typed))\"></form>")
    }
    let decision: DeviceCode.Decision =
      request.form["decision"] == "deny" ? .denied : .allowed(user: session.user)
    guard decideDevice(typed, decision) else { return .html(404, "<title>Unknown code</title>") }
    return .html(200, "<title>Your device is connected</title>")
  }

  /// Whether the code was known.
  mutating func decideDevice(_ userCode: String, _ decision: DeviceCode.Decision) -> Bool {
    guard
      let device = deviceCodes.values.first(where: { $0.userCode == userCode && $0.expiresAt > now }
      )
    else { return false }
    deviceCodes[device.code]?.decision = decision
    return true
  }

  /// RFC 8628 section 3.4 and 3.5.
  mutating func exchangeDeviceCode(
    _ request: Request, _ client: OAuthClient, _ secret: String?
  ) throws(TokenFailure) -> Response {
    if !client.isPublic {
      guard let secret, isAuthentic(secret, of: client) else { throw invalidClient }
    }
    guard let text = request.form["device_code"], let device = deviceCodes[text],
      device.client == client.id
    else { throw TokenFailure("invalid_grant", "The device code is invalid") }
    guard device.expiresAt > now else {
      throw TokenFailure("expired_token", "The device code has expired")
    }
    let last = device.askedAt
    let now = now
    deviceCodes[text]?.askedAt = now
    if let last, now - last < Double(device.interval) - 0.1 {
      // "the interval MUST be increased by 5 seconds for this and all subsequent requests": not
      // here, where tests would wait for it.
      throw TokenFailure("slow_down", "The device asks too often")
    }
    switch device.decision {
    case .none: throw TokenFailure("authorization_pending", "Nobody has decided yet")
    case .denied: throw TokenFailure("access_denied", "The person declined")
    case .allowed(let user):
      deviceCodes[text] = nil
      return mint(
        user: user, client: client, secret: client.isPublic ? nil : secret,
        keyScopes: device.scopes, grantScopes: device.scopes, audience: device.resource)
    }
  }
}

/// The person who decides about a device.
extension DeploymentSimulator {
  /// Types the code at the deployment's page, as a user, and decides.
  ///
  /// - Returns: whether the deployment knew the code.
  @discardableResult
  public func decideDevice(
    _ userCode: String, as user: String? = nil, decision: Decision = .allow
  ) -> Bool {
    state.withLock { state in
      switch decision {
      case .abandon: return true
      case .deny: return state.decideDevice(userCode, .denied)
      case .allow:
        let user = user ?? state.settings.users.first ?? "alice"
        state.addUser(user)
        return state.decideDevice(userCode, .allowed(user: user))
      }
    }
  }

  /// Lets the codes of devices be past their expiry from now on.
  public func expireDeviceCodes() {
    state.withLock { state in
      let past = state.now - 1
      for code in state.deviceCodes.keys { state.deviceCodes[code]?.expiresAt = past }
    }
  }
}
