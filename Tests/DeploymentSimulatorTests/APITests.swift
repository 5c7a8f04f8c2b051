import DeploymentSimulator
import Foundation
import Testing

struct APITests {
  @Test func `The token carriers have an order`() throws {
    let deployment = try deployment(.c)
    defer { deployment.stop() }
    let good = deployment.session(user: "alice")
    let url = deployment.url + "/api/v2/users/me"
    func status(_ query: String, _ headers: [String: String]) throws -> Int {
      try Exchange.send("GET", url + query, headers: headers).status
    }
    let bad = "aaaaaaaaaa-bbbbbbbbbbbbbbbbbbbbbb"
    #expect(try status("", ["Authorization": "bEARER " + good]) == 200)
    #expect(try status("?access_token=" + good, [:]) == 200)
    #expect(try status("?coder_session_token=" + good, ["Coder-Session-Token": bad]) == 200)
    #expect(try status("", ["Coder-Session-Token": "", "Authorization": "Bearer " + good]) == 200)
    #expect(try status("", ["Coder-Session-Token": bad, "Authorization": "Bearer " + good]) == 401)
    #expect(
      try status("", ["Cookie": "coder_session_token=" + bad, "Coder-Session-Token": good]) == 401)
    #expect(try status("", ["Authorization": good]) == 401)
  }

  @Test func `A request without a token is challenged with the metadata's address`() throws {
    let deployment = try deployment(.c)
    defer { deployment.stop() }
    let response = try Exchange.send(deployment.url + "/api/v2/users/me")
    #expect(response.status == 401)
    let challenge = try #require(response.headers["www-authenticate"])
    #expect(challenge.hasPrefix("Bearer realm=\"coder\", error=\"invalid_token\""))
    #expect(challenge.contains("/.well-known/oauth-protected-resource"))
    #expect(response["detail"]?.contains("must be provided") == true)
  }

  @Test func `Use prolongs a token only where sliding expiry is on`() throws {
    let deployment = try deployment(.c) { $0.slidingExpiry = true }
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    let pair = try client.signIn()
    deployment.advanceClock(seconds: 86_000)
    #expect(try client.me(pair.access) == 200)
    deployment.advanceClock(seconds: 86_000)
    #expect(try client.me(pair.access) == 200)
    deployment.change { $0.slidingExpiry = false }
    deployment.advanceClock(seconds: 86_401)
    #expect(try client.me(pair.access) == 401)
  }

  @Test func `Build information is public, and names the provider in era C`() throws {
    for era in DeploymentSimulator.Era.allCases {
      let deployment = try deployment(era)
      defer { deployment.stop() }
      let response = try Exchange.send(deployment.url + "/api/v2/buildinfo")
      #expect(response.status == 200)
      #expect((response["oauth2_provider"] != nil) == (era == .c))
      #expect(response.headers["x-coder-build-version"] == response["version"])
    }
  }

  @Test func `A session mints keys, lists none it should not, and shows itself`() throws {
    let deployment = try deployment(.c)
    defer { deployment.stop() }
    let session = ["Coder-Session-Token": deployment.session(user: "alice")]
    let keys = deployment.url + "/api/v2/users/me/keys"
    let key = try #require(try Exchange.send("POST", keys, headers: session)["key"])
    #expect(deployment.isValid(accessToken: key))
    let name = key.prefix { $0 != "-" }
    #expect(try Exchange.send("DELETE", "\(keys)/\(name)", headers: session).status == 204)
    #expect(!deployment.isValid(accessToken: key))
    let page = try Exchange.send("GET", deployment.url + "/cli-auth", headers: session)
    #expect(page.headers["content-type"]?.hasPrefix("text/html") == true)
    let shown = try #require(page.text.firstMatch(of: /data-token="([^"]+)"/)?.1)
    #expect(deployment.isValid(accessToken: String(shown)))
    let missing = try Exchange.send("GET", deployment.url + "/api/v2/nothing", headers: session)
    #expect(missing.status == 404)
    #expect(missing["message"] == "Route not found.")
    let first = try Exchange.send("GET", deployment.url + "/api/v2/users/first")
    #expect(first.status == 200)
  }

  @Test func `Bodies come and go whole behind authentication`() throws {
    let deployment = try deployment(.c)
    defer { deployment.stop() }
    let session = ["Coder-Session-Token": deployment.session(user: "alice")]
    let bytes = try Exchange.send(
      "GET", deployment.url + "/api/v2/debug/bytes?count=3000000", headers: session)
    #expect(bytes.body.count == 3_000_000)
    let sent = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let echo = try Exchange.send(
      "POST", deployment.url + "/api/v2/debug/echo", headers: session, body: sent)
    #expect(echo.body == sent)
    #expect(try Exchange.send(deployment.url + "/api/v2/debug/bytes?count=1").status == 401)
  }

  @Test func `The log holds names for printing, and values apart`() throws {
    let deployment = try deployment(.c) { $0.canary = "CANARY" }
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    let pair = try client.signIn()
    deployment.clearLog()
    _ = try client.refresh(pair.refresh)
    let logged = try #require(deployment.requests.tokenRequests(grant: "refresh_token").first)
    #expect(logged.formNames.contains("refresh_token"))
    #expect(logged.status == 200)
    #expect(logged.form["refresh_token"] == pair.refresh)
    #expect(!"\(logged)".contains("CANARY"))
    #expect(!String(reflecting: deployment.requests).contains("CANARY"))
    let log = try Exchange.send(deployment.url + "/__log")
    #expect(!log.text.contains("CANARY"))
    #expect(log.text.contains("refresh_token"))
  }
}
