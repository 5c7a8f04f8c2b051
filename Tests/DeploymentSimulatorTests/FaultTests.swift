import DeploymentSimulator
import Foundation
import Testing

struct FaultTests {
  private func signedIn() throws -> (DeploymentSimulator, TestClient, Pair) {
    let deployment = try DeploymentSimulator()
    let client = try TestClient.registered(deployment)
    return (deployment, client, try client.signIn())
  }

  @Test func `A fault happens as often as planned, at its endpoint only`() throws {
    let (deployment, client, pair) = try signedIn()
    defer { deployment.stop() }
    deployment.inject(
      .status(503, body: "{}", headers: ["Retry-After": "3"]), at: .refresh, times: 2)
    #expect(try client.me(pair.access) == 200)
    for _ in 0..<2 {
      let response = try client.refresh(pair.refresh)
      #expect(response.status == 503)
      #expect(response.headers["retry-after"] == "3")
    }
    #expect(try client.refresh(pair.refresh).status == 200)
    let refreshes = deployment.requests.tokenRequests(grant: "refresh_token")
    #expect(refreshes.map(\.status) == [503, 503, 200])
  }

  @Test func `A dropped request did nothing; a dropped response did everything`() throws {
    let (deployment, client, pair) = try signedIn()
    defer { deployment.stop() }
    deployment.inject(.drop, at: .refresh)
    #expect(throws: Exchange.Failure.self) { try client.refresh(pair.refresh) }
    #expect(deployment.isValid(refreshToken: pair.refresh))
    deployment.inject(.drop, at: .refresh, afterActing: true)
    #expect(throws: Exchange.Failure.self) { try client.refresh(pair.refresh) }
    #expect(!deployment.isValid(refreshToken: pair.refresh))
    #expect(deployment.liveTokenPairs == 1)
    #expect(try client.refresh(pair.refresh)["error"] == "invalid_grant")
  }

  @Test func `Responses that are not HTTP or not whole are failures`() throws {
    let (deployment, client, _) = try signedIn()
    defer { deployment.stop() }
    for fault in [DeploymentSimulator.Fault.garbage, .cut, .raw(Array("HTTP/1.1 2".utf8))] {
      deployment.inject(fault, at: "/api/v2/buildinfo")
      #expect(throws: Exchange.Failure.self) { try client.get("/api/v2/buildinfo", token: "") }
    }
  }

  @Test func `Complete responses can be wrong in every way`() throws {
    let (deployment, client, _) = try signedIn()
    defer { deployment.stop() }
    func response(_ fault: DeploymentSimulator.Fault) throws -> Exchange {
      deployment.inject(fault, at: "GET /api/v2/build*")
      return try client.get("/api/v2/buildinfo", token: "")
    }
    #expect(try response(.truncatedJSON)["version"] == nil)
    #expect(try response(.invalidJSON)["version"] == nil)
    #expect(try response(.htmlPage).headers["content-type"]?.hasPrefix("text/html") == true)
    #expect(try response(.emptyBody).body.isEmpty)
    #expect(try response(.contentType("text/plain")).headers["content-type"] == "text/plain")
    #expect(try response(.hugeBody(mebibytes: 2)).body.count == 2 << 20)
    #expect(try response(.hugeBody(mebibytes: 1, declared: false)).body.count == 1 << 20)
    let bomb = try response(.gzipBomb(mebibytes: 2))
    #expect(bomb.headers["content-encoding"] == "gzip")
    #expect(bomb.body.count < 20_000)
    let redirect = try response(.redirect(to: "http://127.0.0.1:1/", status: 307))
    #expect(redirect.status == 307)
    #expect(redirect.headers["location"] == "http://127.0.0.1:1/")
    #expect(try response(.oauthErrorIn200("invalid_grant"))["error"] == "invalid_grant")
    #expect(
      try response(.change { response, _ in response.text = "{\"version\":1e30}" }).text
        == "{\"version\":1e30}")
    #expect(try response(.drip(millisecondsPerByte: 0))["version"] != nil)
  }

  @Test func `A token response can be patched`() throws {
    let (deployment, client, pair) = try signedIn()
    defer { deployment.stop() }
    let patch = #"{"expires_in":"3600","refresh_token":null,"access_token":"a\nb"}"#
    deployment.inject(.mergePatch(patch), at: .refresh)
    let response = try client.refresh(pair.refresh)
    #expect(response["expires_in"] == "3600")
    #expect(response["refresh_token"] == nil)
    #expect(response["access_token"] == "a\nb")
    #expect(response.status == 200)
  }

  @Test func `Endless headers end when the client does`() throws {
    let (deployment, _, _) = try signedIn()
    defer { deployment.stop() }
    deployment.inject(.endlessHeaders, at: "/api/v2/buildinfo")
    #expect(throws: Exchange.Failure.self) {
      try Exchange.send("GET", deployment.url + "/api/v2/buildinfo", timeout: 0.05)
    }
    #expect(try Exchange.send(deployment.url + "/api/v2/buildinfo").status == 200)
  }

  @Test func `A held request waits for its release, and others pass by`() throws {
    let (deployment, client, pair) = try signedIn()
    defer { deployment.stop() }
    deployment.inject(.hold, at: .refresh, afterActing: true)
    let thread = Thread { _ = try? client.refresh(pair.refresh) }
    thread.start()
    #expect(
      deployment.wait { _ in !deployment.isValid(refreshToken: pair.refresh) })
    #expect(deployment.requests.last?.status == nil)
    #expect(try Exchange.send(deployment.url + "/api/v2/buildinfo").status == 200)
    deployment.releaseHeld()
    #expect(deployment.wait { $0.tokenRequests(grant: "refresh_token").last?.status == 200 })
  }

  @Test func `A request that comes after the release is not held`() throws {
    let (deployment, _, _) = try signedIn()
    defer { deployment.stop() }
    deployment.inject(.hold, at: "/api/v2/buildinfo", times: 2)
    deployment.releaseHeld()
    for _ in 0..<2 {
      #expect(try Exchange.send(deployment.url + "/api/v2/buildinfo").status == 200)
    }
  }

  @Test func `A delay delays`() throws {
    let (deployment, client, _) = try signedIn()
    defer { deployment.stop() }
    deployment.inject(.delay(milliseconds: 60), at: "/api/v2/buildinfo")
    let start = Date()
    #expect(try client.get("/api/v2/buildinfo", token: "").status == 200)
    #expect(Date().timeIntervalSince(start) >= 0.06)
  }

  @Test func `Stopping refuses new connections and frees the port`() throws {
    let deployment = try DeploymentSimulator()
    let url = deployment.url
    deployment.stop()
    #expect(throws: Exchange.Failure.self) { try Exchange.send(url) }
  }
}
