import DeploymentSimulator
import Foundation
import Testing

struct TokenTests {
  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `A code works once, and its replay harms nobody`(era: DeploymentSimulator.Era) throws {
    let deployment = try deployment(era)
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    let code = try client.code()
    let wrong = try client.exchange(code, [("code_verifier", String(repeating: "x", count: 43))])
    #expect(wrong["error"] == "invalid_grant")
    let pair = try TestClient.pair(try client.exchange(code))
    #expect(try client.exchange(code)["error"] == "invalid_grant")
    #expect(try client.me(pair.access) == 200)
    let old = try client.code()
    let new = try client.code()
    #expect(try client.exchange(old)["error"] == "invalid_grant")
    deployment.advanceClock(seconds: 601)
    #expect(try client.exchange(new)["error"] == "invalid_grant")
  }

  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `Errors name what is wrong with a token request`(era: DeploymentSimulator.Era) throws {
    let deployment = try deployment(era)
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    func check(_ response: Exchange, _ status: Int, _ error: String) {
      #expect(response.status == status)
      #expect(response["error"] == error)
    }
    let code = try client.code()
    check(try client.exchange(code, [("client_id", "")]), 400, "invalid_request")
    check(try client.exchange(code, [("client_id", "x")]), 401, "invalid_client")
    check(try client.exchange(code, [("client_secret", "")]), 400, "invalid_request")
    check(try client.exchange(code, [("client_secret", "coder_a_b")]), 401, "invalid_client")
    check(try client.exchange("", []), 400, "invalid_request")
    check(try client.exchange("coder_a_b", []), 400, "invalid_grant")
    check(try client.exchange(code, [("code_verifier", "")]), 400, "invalid_grant")
    check(try client.exchange(code, [("grant_type", "")]), 400, "unsupported_grant_type")
    check(
      try client.exchange(code, [("grant_type", "client_credentials")]), 400,
      "unsupported_grant_type")
    check(try client.exchange(code, [("resource", deployment.url)]), 400, "invalid_target")
    let unknown = try client.exchange(code, [("audience", "x")])
    if era == .c {
      #expect(unknown.status == 200)
    } else {
      check(unknown, 400, "invalid_request")
    }
  }

  @Test func `The secret is checked at refresh and revocation from era C on`() throws {
    for era in DeploymentSimulator.Era.allCases {
      let deployment = try deployment(era)
      defer { deployment.stop() }
      let client = try TestClient.registered(deployment)
      let pair = try client.signIn()
      let bare = try client.refresh(pair.refresh, [("client_secret", "")])
      guard era == .c else {
        let next = try TestClient.pair(bare)
        #expect(try client.revoke(next.access, [("client_secret", "")]).status == 200)
        #expect(try client.me(next.access) == 401)
        continue
      }
      #expect(bare.status == 401)
      #expect(bare["error"] == "invalid_client")
      #expect(try client.revoke(pair.refresh, [("client_secret", "")]).status == 401)
      #expect(deployment.isValid(refreshToken: pair.refresh))
      #expect(try client.refresh(pair.refresh).status == 200)
    }
  }

  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `Credentials may come in the Basic header`(era: DeploymentSimulator.Era) throws {
    let deployment = try deployment(era)
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    let pair = try client.signIn()
    let text = client.id + ":" + (client.secret ?? "")
    let headers = ["Authorization": "Basic " + Data(text.utf8).base64EncodedString()]
    let form = [("grant_type", "refresh_token"), ("refresh_token", pair.refresh)]
    let differing = try client.token(form + [("client_secret", "coder_a_b")], headers: headers)
    #expect(differing.status == 400)
    #expect(try client.token(form, headers: headers).status == 200)
  }

  @Test func `Era C wants the redirect URI of the authorization again, port and all`() throws {
    let deployment = try deployment(.c)
    defer { deployment.stop() }
    let client = try TestClient.registered(
      deployment, method: "none", redirectURIs: ["http://127.0.0.1/callback"])
    let used = ("redirect_uri", "http://127.0.0.1:53219/callback")
    let code = try client.code([used])
    for wrong in ["", "http://127.0.0.1:53220/callback", "http://127.0.0.1/callback"] {
      #expect(try client.exchange(code, [("redirect_uri", wrong)])["error"] == "invalid_grant")
    }
    #expect(try client.exchange(code, [used]).status == 200)
    let early = try DeploymentSimulator(.init(era: .b))
    defer { early.stop() }
    let old = try TestClient.registered(early)
    #expect(try old.exchange(try old.code(), [("redirect_uri", "")]).status == 200)
  }

  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `One pair lives for every person and client`(era: DeploymentSimulator.Era) throws {
    let deployment = try deployment(era)
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    let other = try TestClient.registered(deployment)
    let first = try client.signIn()
    let foreign = try other.signIn()
    let second = try client.signIn()
    #expect(try client.me(first.access) == 401)
    #expect(try client.refresh(first.refresh)["error"] == "invalid_grant")
    #expect(try client.me(second.access) == 200)
    #expect(try other.me(foreign.access) == 200)
    #expect(deployment.liveTokenPairs == 2)
  }

  @Test func `A refresh narrows the access token only, in era C only`() throws {
    let deployment = try deployment(.c)
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    let wide = try client.exchange(try client.code([("scope", "workspace:* user:read")]))
    var token = try TestClient.pair(wide).refresh
    let beyond = try client.refresh(token, [("scope", "template:read")])
    #expect(beyond["error"] == "invalid_scope")
    #expect(try client.refresh(token, [("scope", "openid")])["error"] == "invalid_scope")
    let narrow = try client.refresh(token, [("scope", "workspace:ssh")])
    #expect(narrow["scope"] == "workspace:ssh")
    token = try TestClient.pair(narrow).refresh
    #expect(try client.refresh(token)["scope"] == "workspace:* user:read")
    deployment.change { $0.era = .b }
    let early = try client.signIn()
    #expect(try client.refresh(early.refresh, [("scope", "openid")]).status == 200)
  }

  @Test func `The resource is given twice or never, and binds the token`() throws {
    let deployment = try deployment(.c)
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    let own = ("resource", deployment.url + "/")
    #expect(try client.exchange(try client.code([own]))["error"] == "invalid_target")
    let pair = try TestClient.pair(try client.exchange(try client.code([own]), [own]))
    #expect(try client.me(pair.access) == 200)
    let wrong = try client.refresh(pair.refresh, [("resource", "https://b.example/")])
    #expect(wrong["error"] == "invalid_target")
    #expect(try client.refresh(pair.refresh).status == 200)
    let other = ("resource", "https://b.example/")
    let foreign = try TestClient.pair(try client.exchange(try client.code([other]), [other]))
    #expect(try client.me(foreign.access) == 403)
  }

  @Test func `Only era C bounds, repeats and looks into the URL`() throws {
    let deployment = try deployment(.c)
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    let long = String(repeating: "x", count: 70_000)
    #expect(try client.refresh(long).status == 413)
    let url = deployment.url + "/oauth2/tokens?client_secret=x"
    #expect(try Exchange.post(url, form: [("client_id", client.id)]).status == 400)
    let twice = try client.token([
      ("client_id", client.id), ("grant_type", "a"), ("grant_type", "b"),
    ])
    #expect(twice["error"] == "unsupported_grant_type")
    #expect(twice.headers["cache-control"] == "no-store")
    let short = try client.exchange(try client.code(), [("code_verifier", "short")])
    #expect(short["error"] == "invalid_request")
  }

  @Test func `An unused refresh token dies a week after its access token`() throws {
    let deployment = try deployment(.c)
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    let pair = try client.signIn()
    deployment.advanceClock(seconds: 7 * 86_400)
    #expect(deployment.isValid(refreshToken: pair.refresh))
    #expect(try client.me(pair.access) == 401)
    deployment.advanceClock(seconds: 86_401)
    #expect(try client.refresh(pair.refresh)["error"] == "invalid_grant")
  }

  @Test func `The rate limit of era C counts every endpoint by itself`() throws {
    let deployment = try deployment(.c) {
      $0.rateLimitPerMinute = 3
      $0.retryAfter = 7
    }
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    for _ in 0..<3 { #expect(try client.refresh("coder_a_b").status == 400) }
    let limited = try client.refresh("coder_a_b")
    #expect(limited.status == 429)
    #expect(limited["error"] == "temporarily_unavailable")
    #expect(limited["message"] != nil)
    #expect(limited.headers["retry-after"] == "7")
    #expect(try client.revoke("coder_a_b").status == 200)
    deployment.advanceClock(seconds: 61)
    #expect(try client.refresh("coder_a_b").status == 400)
  }
}
