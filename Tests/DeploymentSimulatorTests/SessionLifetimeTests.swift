import DeploymentSimulator
import Foundation
import Testing

struct LifeTests {
  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `A client lives from discovery to deletion`(era: DeploymentSimulator.Era) throws {
    let deployment = try deployment(era)
    defer { deployment.stop() }
    let metadata = try Exchange.send(
      deployment.url + "/.well-known/oauth-authorization-server")
    #expect(metadata.status == 200)
    #expect(metadata["issuer"] == deployment.url)
    #expect(metadata["token_endpoint"] == deployment.url + "/oauth2/tokens")
    #expect(metadata["registration_endpoint"] == deployment.url + "/oauth2/register")

    let client = try TestClient.registered(deployment)
    let visit = try client.visit()
    #expect(visit.statuses == [200, 302])
    #expect(visit.parameter("state") == "s1")
    let response = try client.exchange(try #require(visit.parameter("code")))
    let first = try TestClient.pair(response)
    #expect(response["token_type"] == "Bearer")
    #expect(response["expires_in"] == "86400")
    #expect(response["expiry"]?.hasSuffix("Z") == true)
    #expect(response["scope"] == (era == .c ? "coder:all" : nil))
    #expect(try client.get("/api/v2/users/me", token: first.access)["username"] == "alice")

    let second = try TestClient.pair(try client.refresh(first.refresh))
    #expect(try client.me(first.access) == 401)
    #expect(try client.me(second.access) == 200)
    let replay = try client.refresh(first.refresh)
    #expect(replay.status == 400)
    #expect(replay["error"] == "invalid_grant")
    #expect(try client.me(second.access) == 200)
    #expect(deployment.liveTokenPairs == 1)

    let revocation = try client.revoke(second.refresh)
    #expect(revocation.status == 200)
    #expect(revocation.body.isEmpty)
    #expect(try client.me(second.access) == 401)
    #expect(try client.configure("DELETE").status == 204)
    #expect(deployment.registeredClients.isEmpty)
    let orphan = try client.refresh(second.refresh)
    #expect(orphan.status == 401)
    #expect(orphan["error"] == "invalid_client")
    let challenge = orphan.headers["www-authenticate"]
    #expect(challenge == (era == .c ? "Basic realm=\"coder\"" : nil))
  }

  @Test func `Where reuse has an effect, a refresh token sent twice ends the grant`() throws {
    let deployment = try deployment(.c) { $0.revokesOnReuse = true }
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    let first = try client.signIn()
    let second = try TestClient.pair(try client.refresh(first.refresh))
    #expect(try client.me(second.access) == 200)
    #expect(try client.refresh(first.refresh)["error"] == "invalid_grant")
    #expect(try client.me(second.access) == 401)
    #expect(try client.refresh(second.refresh)["error"] == "invalid_grant")
    #expect(deployment.liveTokenPairs == 0)
  }

  @Test func `Tokens have the server's formats, and the canary inside`() throws {
    let deployment = try deployment(.c) { $0.canary = "CANARY" }
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    let code = try client.code()
    let pair = try TestClient.pair(try client.exchange(code))
    let secret = try #require(client.secret)
    #expect(pair.access.wholeMatch(of: /[A-Za-z0-9]{10}-CANARY[A-Za-z0-9]{16}/) != nil)
    for text in [code, pair.refresh, secret] {
      #expect(text.wholeMatch(of: /coder_[A-Za-z0-9]{10}_CANARY[A-Za-z0-9]{34}/) != nil)
    }
    #expect(client.registrationToken.wholeMatch(of: /CANARY[A-Za-z0-9]{34}/) != nil)
  }

  @Test func `The metadata of each era says what it supports`() throws {
    for era in DeploymentSimulator.Era.allCases {
      let deployment = try deployment(era) { $0.dynamicRegistrationEnabled = false }
      defer { deployment.stop() }
      let url = deployment.url + "/.well-known/oauth-authorization-server"
      let metadata = try Exchange.send(url)
      #expect(metadata.text.contains("registration_endpoint") == (era == .a))
      #expect(metadata["token_endpoint_auth_methods_supported"]?.contains("none") == (era == .c))
      #expect(metadata.headers["cache-control"] == nil)
      let resource = try Exchange.send(deployment.url + "/.well-known/oauth-protected-resource")
      #expect(resource["resource"] == deployment.url)
      let suffixed = try Exchange.send(
        deployment.url + "/.well-known/oauth-protected-resource/mcp")
      #expect(suffixed.status == (era == .c ? 200 : 404))
    }
  }

  @Test func `A configured access URL rules every address`() throws {
    let deployment = try deployment(.c) { $0.accessURL = "https://coder.example.com/" }
    defer { deployment.stop() }
    let metadata = try Exchange.send(
      deployment.url + "/.well-known/oauth-authorization-server")
    #expect(metadata["issuer"] == "https://coder.example.com/")
    #expect(metadata["token_endpoint"] == "https://coder.example.com/oauth2/tokens")
  }

  @Test func `A deployment below a path serves the well-known forms chosen`() throws {
    let deployment = try deployment(.c) { $0.basePath = "/coder" }
    defer { deployment.stop() }
    let root = "http://127.0.0.1:\(deployment.port)"
    let document = "/.well-known/oauth-authorization-server"
    #expect(deployment.url == root + "/coder")
    #expect(try Exchange.send(root + document + "/coder")["issuer"] == root + "/coder")
    #expect(try Exchange.send(root + "/coder" + document).status == 200)
    #expect(try Exchange.send(root + document).status == 404)
    deployment.change { $0.wellKnownForms = [.inserted] }
    #expect(try Exchange.send(root + "/coder" + document).status == 404)
    #expect(try Exchange.send(root + document + "/coder").status == 200)
    let client = try TestClient.registered(deployment)
    #expect(try client.me(try client.signIn().access) == 200)
    #expect(deployment.requests.count(method: "POST", path: "/oauth2/tokens") == 1)
  }

  @Test func `A switched off provider responds as its era did`() throws {
    let paths = ["/.well-known/oauth-authorization-server", "/oauth2/authorize"]
    for (era, status) in [(DeploymentSimulator.Era.a, 403), (.b, 403), (.c, 404)] {
      let deployment = try deployment(era)
      defer { deployment.stop() }
      let client = try TestClient.registered(deployment)
      let pair = try client.signIn()
      deployment.setProvider(enabled: false)
      for path in paths {
        #expect(try Exchange.send(deployment.url + path).status == status)
      }
      #expect(try client.refresh(pair.refresh).status == status)
      #expect(try client.me(pair.access) == 200)
      deployment.change { $0.wellKnownUngated = true }
      #expect(try Exchange.send(deployment.url + paths[0]).status == (era == .a ? 200 : status))
      deployment.setProvider(enabled: true)
      #expect(try client.refresh(pair.refresh).status == 200)
    }
  }

  @Test func `A server older than OAuth shows its web page everywhere`() throws {
    let deployment = try deployment(.a) { $0.oauthAbsent = true }
    defer { deployment.stop() }
    let page = try Exchange.send(deployment.url + "/.well-known/oauth-authorization-server")
    #expect(page.status == 200)
    #expect(page.headers["content-type"]?.hasPrefix("text/html") == true)
    #expect(try Exchange.send(deployment.url + "/api/v2/nothing").status == 404)
  }
}

extension Exchange {
  static func send(_ url: String) throws -> Exchange { try send("GET", url) }
}
