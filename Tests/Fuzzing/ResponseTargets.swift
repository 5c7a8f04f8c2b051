import CCurl
import Secrets

@testable import Credentials
@testable import HTTP
@testable import OAuth
@testable import Sessions

private let exampleURL = "https://dev.example.com/coder"

/// Where the secrets of the deployment in every document may go.
private let policies: [EndpointPolicy] = places.compactMap {
  try? EndpointPolicy(deployment: $0.url, allowedOrigins: $0.allowed)
}

private let places: [(url: String, allowed: Set<String>)] = [
  (exampleURL, []), ("https://dev.example.com", ["https://login.example.com/realm"]),
  ("http://127.0.0.1:3000", []),
]

extension FuzzTarget {
  /// What a server says of itself.
  static let metadata = FuzzTarget(name: "metadata", maximumBytes: 8192) { bytes in
    expectSameToBothReaders(bytes)
    for policy in policies {
      guard let metadata = try? AuthorizationServerMetadata(document: bytes, policy: policy) else {
        continue
      }
      expect(!metadata.clientAuthenticationMethods.isEmpty, "there is a way to authenticate")
      expect(
        Endpoint(metadata.issuer)?.isSameIssuer(as: policy.deployment) == true,
        "the issuer is the deployment")
      for url in [
        metadata.authorizationEndpoint, metadata.tokenEndpoint, metadata.registrationEndpoint,
        metadata.revocationEndpoint,
      ] {
        if let url { expectTrusted(url, policy) }
      }
      if let url = metadata.deviceAuthorizationEndpoint,
        let trusted = try? policy.endpoint(url, named: "device_authorization_endpoint")
      {
        expectTrusted(trusted.url, policy)
      }
    }
  }

  /// What a server says of a client that it has registered.
  static let registration = FuzzTarget(name: "registration", maximumBytes: 8192) { bytes in
    let response = ServerResponse(HTTPResponse(status: 201, body: bytes))
    guard let object = JSONObject(given: response.http) else { return }
    let wanted = "http://127.0.0.1:4711/callback"
    let request = RegistrationRequest(
      clientName: "coder-cred on a machine", redirectURIs: [wanted],
      tokenEndpointAuthMethod: .clientSecretPost)
    for policy in policies {
      guard
        let registration = try? ClientRegistration(
          object, of: response, request: request, policy: policy)
      else { continue }
      expect(registration.redirectURIs == [wanted], "it is for what was asked for")
      expect(Secret(registration.clientID).isWord, "the identifier is one word")
      expect(registration.clientSecret?.isWord ?? true, "so is the secret")
      expect(registration.registrationAccessToken?.isWord ?? true, "and the token")
      if let url = registration.registrationClientURI { expectTrusted(url, policy) }
      _ = registration.isSecretExpired(now: .max)
      expectStored(registration, policy)
    }
    expectResent(ClientMetadata(object))
    if let device = try? DeviceAuthorization(object, policy: policies[0]) {
      expectTrusted(device.verificationURI, policies[0])
      if let url = device.verificationURIComplete { expectTrusted(url, policies[0]) }
      expect((1...3600).contains(device.lifetimeSeconds), "the codes live an hour at most")
      expect((1...60).contains(device.intervalSeconds), "the interval is one that is kept")
    }
  }

  /// What a token endpoint says; the first byte is the status.
  static let tokenResponse = FuzzTarget(name: "token-response", maximumBytes: 8192) { bytes in
    let now: Int64 = 1_700_000_000
    let secret = Secret("a-secret-of-the-request")
    let statuses = [200, 201, 400, 401, 403, 429, 500, 503, 302]
    let status = statuses[Int(bytes.first ?? 0) % statuses.count]
    let response = ServerResponse(
      HTTPResponse(
        status: status,
        headers: [HTTPField("Retry-After", bytes.prefix(40).text)], body: Array(bytes.dropFirst())),
      secrets: [secret])
    expectSameToBothReaders(response.http.body)
    guard response.isSuccess else {
      expectQuotable(OAuthError(response, now: now), secret)
      return
    }
    let tokens: TokenResponse
    do throws(OAuthError) {
      tokens = try TokenResponse(response, requestedScope: "coder:all", now: now)
    } catch {
      expectQuotable(error, secret)
      return
    }
    expect(tokens.accessToken.isWord, "the access token is one word")
    expect(tokens.refreshToken?.isWord ?? true, "so is the refresh token")
    expect(
      tokens.expiresAt.map { $0 > now && $0 <= now + 315_360_000 } ?? true,
      "it expires after now, and within ten years")
    for text in tokens.oddities { expectShown(text, secret) }
    guard let deployment = try? Deployment(url: exampleURL) else { return }
    var session = StoredSession(
      deployment: deployment, account: "alice", method: .oauth, accessToken: tokens.accessToken)
    session.refreshToken = tokens.refreshToken
    session.scope = tokens.scope
    session.expiresAt = tokens.expiresAt
    expect(tokens.scope.map { !$0.utf8.contains { $0 < 0x20 } } ?? true, "a scope is one line")
    let payload = expectNoError("tokens that came can be kept") { try session.payload() }
    expectReadable(payload, as: session)
    expectWritable(session)
  }
}

/// A secret goes to a URL only if libcurl, too, finds the deployment there, or what was allowed.
private func expectTrusted(_ url: String, _ policy: EndpointPolicy) {
  expect((try? policy.endpoint(url, named: "endpoint"))?.url == url, "\(url) is trusted")
  guard (try? CurlLibrary.load()) != nil, let parsed = ParsedURL(url) else { return }
  let scheme = parsed.part(CURLUPART_SCHEME) ?? ""
  let host = parsed.part(CURLUPART_HOST) ?? ""
  let path = parsed.part(CURLUPART_PATH) ?? ""
  let port = parsed.part(CURLUPART_PORT) ?? (scheme == "https" ? "443" : "80")
  expect(parsed.part(CURLUPART_USER) == nil, "nobody is named in \(url)")
  let allowed = places.first { $0.url == policy.deployment.url }?.allowed ?? []
  let places = [policy.deployment] + allowed.compactMap(Endpoint.init)
  let isThere = places.contains { place in
    let isOrigin = place.origin.scheme == scheme && place.origin.host == host.lowercased()
    guard isOrigin, port == String(place.origin.port) else { return false }
    return path == place.directory || path.hasPrefix(place.directory + "/")
  }
  expect(isThere, "\(scheme)://\(host):\(port)\(path) is where \(url) leads")
}

/// A registration that was taken is kept, and read again.
private func expectStored(_ registration: ClientRegistration, _ policy: EndpointPolicy) {
  guard let deployment = try? Deployment(url: policy.deployment.url) else { return }
  let stored = StoredRegistration(
    deployment: deployment, information: registration, issuer: deployment.url,
    tokenEndpoint: "\(deployment.url)/token", revocationEndpoint: nil)
  let payload = expectNoError("a registration can be kept") { try stored.payload() }
  expectSurvival(payload)
  expect(
    (try? StoredRegistration(payload: payload, deployment: deployment)) == stored,
    "a registration is read as it was written")
}

/// What is sent back to the server with an update is the JSON that it was, without what is empty.
private func expectResent(_ metadata: ClientMetadata) {
  let text = JSONValue.object(metadata.members).text
  expect(JSONValue.object(JSONObject(Array(text.utf8))?.members ?? []).isSame(as: metadata), text)
}

extension JSONValue {
  /// Whether the same is read again; of a member that stands there twice nothing is.
  fileprivate func isSame(as metadata: ClientMetadata) -> Bool {
    let names = metadata.members.map(\.name)
    guard Set(names).count == names.count, metadata.members.allSatisfy({ $0.value.depth < 31 })
    else { return true }
    return self == .object(metadata.members)
  }

  private var depth: Int {
    switch self {
    case .array(let values): 1 + (values.map(\.depth).max() ?? 0)
    case .object(let members): 1 + (members.map(\.value.depth).max() ?? 0)
    default: 0
    }
  }
}

/// What the strict reader takes, the lenient one takes in the same way, and it is written and read
/// again unchanged.
private func expectSameToBothReaders(_ bytes: [UInt8]) {
  guard let strict = JSONReader.members(of: bytes, isLenient: false) else { return }
  expect(
    JSONReader.members(of: bytes, isLenient: true) == strict, "both readers read a valid document")
  let text = JSONValue.object(strict).text
  expect(
    JSONReader.members(of: Array(text.utf8), isLenient: false) == strict,
    "what is written is read again")
  expect(!text.utf8.contains { $0 < 0x20 }, "JSON is written on one line")
}

/// Whatever a server says, what we say of it is one line without secrets, and quotes it.
private func expectQuotable(_ error: OAuthError, _ secret: Secret) {
  switch error {
  case .refused(let refusal, _):
    expectShown(refusal.summary, secret)
    expectShown(refusal.code, secret)
  case .unavailable(_, let reason, let wait):
    if let reason { expectShown(reason, secret) }
    expect(wait.map { (0...2_592_000).contains($0) } ?? true, "a wait is thirty days at most")
  case .malformed(let reason): expectShown(reason, secret)
  default: break
  }
}

private func expectShown(_ text: String, _ secret: Secret) {
  expect(ForeignText.terminalLine(text) == text, "what is shown is fit for a terminal")
  expect(secret.redacted(in: text) == text, "what is shown holds no secret")
  expect(text.utf8.count < 4096, "what is shown is short")
}
