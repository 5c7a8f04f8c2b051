import DeploymentSimulator
import Foundation
import Testing

@Suite struct `A scripted response` {
  private func signedIn() throws -> (DeploymentSimulator, TestClient, Pair) {
    let deployment = try DeploymentSimulator()
    let client = try TestClient.registered(deployment)
    return (deployment, client, try client.signIn())
  }

  @Test func `takes the place of the usual one, in order, and nothing is done`() throws {
    let (deployment, client, pair) = try signedIn()
    defer { deployment.stop() }
    deployment.respond(
      at: .refresh,
      with: .init(401, json: #"{"error":"invalid_client"}"#),
      .init(299, fields: [("X-Two", "1"), ("X-Two", "2")], body: [0xFF, 0x00]))
    let first = try client.refresh(pair.refresh)
    #expect(first.status == 401 && first["error"] == "invalid_client")
    let second = try client.refresh(pair.refresh)
    #expect(second.status == 299 && second.body == [0xFF, 0x00])
    #expect(second.headers["x-two"] == "1")
    #expect(deployment.isValid(refreshToken: pair.refresh))
    #expect(try client.refresh(pair.refresh).status == 200)
    #expect(
      deployment.requests.tokenRequests(grant: "refresh_token").map(\.status) == [401, 299, 200])
  }

  @Test func `may change the usual one in members, fields, bytes and form, after it was done`()
    throws
  {
    let (deployment, client, pair) = try signedIn()
    defer { deployment.stop() }
    deployment.changeResponses(at: .refresh, times: 1) { response, request in
      response.setMembers(#"{"token_type":null,"expires_in":"3600"}"#)
      response["Content-Type"] = "text/plain"
      response["Date"] = "Thu, 01 Jan 1970 00:00:00 GMT"
      response["X-Grant"] = request.grantType
      response.declaresLength = false
    }
    let changed = try client.refresh(pair.refresh)
    #expect(changed["token_type"] == nil && changed["expires_in"] == "3600")
    #expect(changed.headers["content-type"] == "text/plain")
    #expect(changed.headers["date"] == "Thu, 01 Jan 1970 00:00:00 GMT")
    #expect(changed.headers["x-grant"] == "refresh_token")
    #expect(changed.headers["content-length"] == nil)
    let token = try #require(changed["refresh_token"])
    #expect(deployment.isValid(refreshToken: token))

    deployment.changeResponses(at: .refresh) { response, _ in
      response.encodeAsForm()
      response.body = [0xEF, 0xBB, 0xBF] + response.body
    }
    let form = try client.refresh(token)
    #expect(form.headers["content-type"] == "application/x-www-form-urlencoded")
    #expect(form.text.contains("token_type=Bearer") && form.body.starts(with: [0xEF, 0xBB, 0xBF]))
    deployment.clearFaults()
  }

  @Test func `may come where the deployment has nothing, and redirect everything`() throws {
    let deployment = try DeploymentSimulator()
    defer { deployment.stop() }
    deployment.respond(
      at: "GET /.well-known/openid-configuration", with: .init(json: #"{"issuer":"x"}"#))
    let url = deployment.url
    #expect(try Exchange.send("GET", url + "/.well-known/openid-configuration")["issuer"] == "x")
    deployment.changeResponses(at: "/*") { response, request in
      response = .init(301, fields: [("Location", "https://elsewhere.example" + request.path)])
    }
    for path in ["/", "/oauth2/tokens", "/api/v2/users/me"] {
      let moved = try Exchange.send("GET", url + path)
      #expect(moved.status == 301)
      #expect(moved.headers["location"] == "https://elsewhere.example" + path)
    }
  }
}
