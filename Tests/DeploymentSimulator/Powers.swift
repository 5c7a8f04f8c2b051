import Glibc
import Synchronization

/// What a test can do to a deployment from behind.
extension DeploymentSimulator {
  /// Plans a fault for the next `times` requests at an endpoint. With `afterActing` the server
  /// does its work first, so that only the response suffers.
  public func inject(
    _ fault: Fault, at endpoint: Endpoint, times: Int = 1, afterActing: Bool = false
  ) {
    state.withLock {
      $0.faults.append(
        PlannedFault(
          fault: fault, endpoint: endpoint, remaining: max(1, times), afterActing: afterActing,
          generation: $0.heldGeneration))
    }
  }

  /// Forgets every planned fault.
  public func clearFaults() { state.withLock { $0.faults = [] } }

  /// Lets every request waiting in `.hold` go on, and those that will meet a `.hold` planned so far.
  public func releaseHeld() { state.withLock { $0.heldGeneration += 1 } }

  /// Moves the deployment's clock forward, and with it every expiry.
  public func advanceClock(seconds: Int) {
    state.withLock { $0.clockOffset += Double(seconds) }
  }

  // MARK: Tokens

  /// Every access token is past its expiry from now on; refresh tokens live.
  public func expireAccessTokens() {
    state.withLock { state in
      let past = state.now - 1
      for id in state.keys.keys where state.keys[id]?.client != nil {
        state.keys[id]?.expiresAt = past
      }
    }
  }

  /// Every refresh token is past its expiry from now on; access tokens live.
  public func expireRefreshTokens() {
    state.withLock { state in
      let past = state.now - 1
      for token in state.refreshTokens.keys {
        state.refreshTokens[token]?.expiresAt = past
      }
    }
  }

  /// Deletes the person's pairs with every application, or everyone's.
  public func revokeGrant(user: String? = nil) {
    state.withLock { state in
      state.deleteKeys { $0.client != nil && (user == nil || $0.user == user) }
      state.refreshTokens = state.refreshTokens.filter { user != nil && $0.value.user != user }
    }
  }

  /// Access tokens die without their refresh tokens, as no request can make happen but time.
  public func revokeAccessTokens() {
    state.withLock { state in
      state.keys = state.keys.filter { $0.value.client == nil }
    }
  }

  /// Whether the API would take this access token now.
  public func isValid(accessToken: String) -> Bool {
    state.withLock { state in
      guard let (id, secret) = ServerState.keyParts(accessToken), let key = state.keys[id] else {
        return false
      }
      return key.secret == secret && key.expiresAt > state.now
    }
  }

  /// Whether the token endpoint would take this refresh token now.
  public func isValid(refreshToken: String) -> Bool {
    state.withLock { state in
      state.purge()
      guard let token = state.refreshTokens[refreshToken] else { return false }
      return token.expiresAt > state.now
    }
  }

  /// How many refresh tokens are alive: one for every pair of person and application.
  public var liveTokenPairs: Int {
    state.withLock { state in
      state.refreshTokens.values.count { $0.expiresAt > state.now }
    }
  }

  // MARK: Clients

  /// The client ids registered, in no order that means anything.
  public var registeredClients: [String] { state.withLock { $0.clients.keys.sorted() } }

  /// The redirect URIs of a client; empty when there is no such client.
  public func redirectURIs(ofClient id: String) -> [String] {
    state.withLock { $0.clients[id]?.redirectURIs ?? [] }
  }

  /// Makes an application by hand, as an administrator does: confidential, without RFC 7592.
  public func addApplication(
    name: String, redirectURIs: [String], scope: String? = nil
  ) -> (id: String, secret: String) {
    state.withLock { state in
      let client = state.addApplication(name, redirectURIs, scope)
      return (client.id, client.secrets.first ?? "")
    }
  }

  /// Deletes a client with its secrets, codes and tokens, or all of them.
  public func deleteClient(_ id: String? = nil) {
    state.withLock { state in
      for client in id.map({ [$0] }) ?? Array(state.clients.keys) { state.deleteClient(client) }
    }
  }

  /// Deletes a client's secrets and the tokens issued under them.
  public func deleteClientSecrets(_ id: String) {
    state.withLock { state in
      let secrets = state.clients[id]?.secrets ?? []
      state.clients[id]?.secrets = []
      state.deleteKeys { $0.client == id && $0.clientSecret.map(secrets.contains) == true }
      state.refreshTokens = state.refreshTokens.filter {
        $0.value.client != id || $0.value.clientSecret.map(secrets.contains) != true
      }
    }
  }

  /// Changes the scopes a client is allowed; nil allows everything.
  public func narrowAllowlist(_ id: String, to scope: String?) {
    state.withLock { $0.clients[id]?.metadata.set("scope", scope.map(JSON.string)) }
  }

  // MARK: People and switches

  /// Suspends a person: the API turns their tokens away, and keeps them.
  public func suspend(_ user: String) { state.withLock { $0.users[user]?.isSuspended = true } }

  /// Ends a suspension.
  public func reactivate(_ user: String) { state.withLock { $0.users[user]?.isSuspended = false } }

  /// Adds an account and gives a browser session of it.
  public func session(user: String) -> String { state.withLock { $0.sessionToken(user) } }

  /// Switches the OAuth provider.
  public func setProvider(enabled: Bool) { change { $0.providerEnabled = enabled } }

  /// Switches dynamic client registration.
  public func setRegistration(enabled: Bool) { change { $0.dynamicRegistrationEnabled = enabled } }

  // MARK: The log

  /// Every request so far, in the order of arrival.
  public var requests: [LoggedRequest] { state.withLock { $0.log } }

  /// Forgets the requests logged so far.
  public func clearLog() { state.withLock { $0.log = [] } }

  /// Waits until the log satisfies a condition; false when `seconds` passed before.
  public func wait(
    seconds: Double = 30, until condition: ([LoggedRequest]) -> Bool
  ) -> Bool {
    let deadline = Socket.clock() + seconds
    repeat {
      if condition(requests) { return true }
      usleep(1000)
    } while Socket.clock() < deadline
    return false
  }
}
