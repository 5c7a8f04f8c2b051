import DeploymentSimulator
import Foundation
import Testing

struct RevocationTests {
  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `Revoking either token ends both`(era: DeploymentSimulator.Era) throws {
    let deployment = try deployment(era)
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    for part in [\Pair.access, \Pair.refresh] {
      let pair = try client.signIn()
      let hint = ("token_type_hint", "nonsense")
      #expect(try client.revoke(pair[keyPath: part], [hint]).status == 200)
      #expect(!deployment.isValid(accessToken: pair.access))
      #expect(!deployment.isValid(refreshToken: pair.refresh))
    }
  }

  @Test func `What is not ours gets a 200 and left alone`() throws {
    let deployment = try deployment(.c)
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    let other = try TestClient.registered(deployment)
    let pair = try other.signIn()
    let session = deployment.session(user: "alice")
    for token in [pair.access, pair.refresh, session, "coder_unknown_token"] {
      #expect(try client.revoke(token).status == 200)
    }
    #expect(try other.me(pair.access) == 200)
    #expect(try other.me(session) == 200)
    #expect(try client.revoke("malformed").status == 400)
    #expect(try client.revoke("").status == 400)
    #expect(try client.revoke("x", [("client_id", "")]).status == 400)
    #expect(try client.revoke("x", [("client_id", "y")]).status == 401)
    #expect(try Exchange.send(deployment.url + "/oauth2/revoke").status == 405)
  }

  @Test func `The person ends an application's access`() throws {
    let deployment = try deployment(.c)
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    let pair = try client.signIn()
    let code = try client.code()
    let url = deployment.url + "/oauth2/tokens?client_id=" + client.id
    #expect(try Exchange.send("DELETE", url).status == 401)
    let response = try Exchange.send(
      "DELETE", url, headers: ["Coder-Session-Token": deployment.session(user: "alice")])
    #expect(response.status == 204)
    #expect(try client.me(pair.access) == 401)
    #expect(try client.exchange(code)["error"] == "invalid_grant")
  }

  @Test func `Logging out with an access token ends the grant`() throws {
    let deployment = try deployment(.a)
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    let pair = try client.signIn()
    let response = try Exchange.send(
      "POST", deployment.url + "/api/v2/users/logout",
      headers: ["Coder-Session-Token": pair.access])
    #expect(response.status == 200)
    #expect(!deployment.isValid(refreshToken: pair.refresh))
  }

  @Test func `A server can take away tokens, secrets, clients and people`() throws {
    let deployment = try deployment(.c)
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    var pair = try client.signIn()
    deployment.suspend("alice")
    let suspended = try client.get("/api/v2/users/me", token: pair.access)
    #expect(suspended.status == 401)
    #expect(suspended["message"]?.hasPrefix("User is not active") == true)
    deployment.reactivate("alice")
    deployment.expireAccessTokens()
    let expired = try client.get("/api/v2/users/me", token: pair.access)
    #expect(expired.headers["www-authenticate"]?.contains("has expired") == true)
    pair = try TestClient.pair(try client.refresh(pair.refresh))
    deployment.revokeAccessTokens()
    #expect(try client.me(pair.access) == 401)
    pair = try TestClient.pair(try client.refresh(pair.refresh))
    deployment.expireRefreshTokens()
    #expect(try client.refresh(pair.refresh)["error"] == "invalid_grant")
    #expect(try client.me(pair.access) == 200)
    pair = try client.signIn()
    deployment.revokeGrant(user: "alice")
    #expect(deployment.liveTokenPairs == 0)
    pair = try client.signIn()
    deployment.deleteClientSecrets(client.id)
    #expect(try client.me(pair.access) == 401)
    #expect(try client.refresh(pair.refresh)["error"] == "invalid_client")
  }
}
