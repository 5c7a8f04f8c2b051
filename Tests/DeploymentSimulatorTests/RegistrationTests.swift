import DeploymentSimulator
import Foundation
import Testing

struct RegistrationTests {
  @Test func `A client that wants no secret gets one before era C`() throws {
    for era in DeploymentSimulator.Era.allCases {
      let deployment = try deployment(era)
      defer { deployment.stop() }
      let response = try TestClient(deployment).register([
        "redirect_uris": ["http://127.0.0.1:5000/callback"],
        "token_endpoint_auth_method": "none", "application_type": "native",
      ])
      #expect(response.status == 201)
      #expect((response["client_secret"] == nil) == (era == .c))
      #expect(response["token_endpoint_auth_method"] == "none")
      #expect(response["client_secret_expires_at"] == nil)
      #expect(response["client_name"] == "Dynamically Registered Client")
      #expect(response.headers["cache-control"] == (era == .c ? "no-store" : nil))
    }
  }

  @Test func `Disabled registration is an invalid request with status 403`() throws {
    for era in [DeploymentSimulator.Era.b, .c] {
      let deployment = try deployment(era) { $0.dynamicRegistrationEnabled = false }
      defer { deployment.stop() }
      let response = try TestClient(deployment).register(["redirect_uris": ["https://a.example/"]])
      #expect(response.status == 403)
      #expect(response["error"] == "invalid_request")
      #expect(response["error_description"]?.contains("disabled") == true)
    }
  }

  @Test(arguments: [
    "callback", "http://example.com/cb", "https://a.example/#", "https://a.example/#f",
    "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://a.example/",
    "urn:example:x", "",
  ])
  func `An unusable redirect URI is invalid client metadata`(uri: String) throws {
    for era in DeploymentSimulator.Era.allCases {
      let deployment = try deployment(era)
      defer { deployment.stop() }
      let response = try TestClient(deployment).register(["redirect_uris": [uri]])
      #expect(response.status == 400)
      #expect(response["error"] == "invalid_client_metadata")
    }
  }

  @Test func `Local, custom and out-of-band redirect URIs are accepted`() throws {
    let deployment = try deployment(.c)
    defer { deployment.stop() }
    let uris = [
      "http://localhost:1/cb", "http://127.0.0.1/cb", "http://[::1]:2/cb", "coder-cred://callback",
      "urn:ietf:wg:oauth:2.0:oob", "http://app.localhost:3/",
    ]
    let response = try TestClient(deployment).register(["redirect_uris": uris])
    #expect(response.status == 201)
    #expect(try TestClient(deployment).register(["redirect_uris": ["app:cb"]]).status == 400)
  }

  @Test func `A public client of an early server needs a reverse domain scheme`() throws {
    let deployment = try deployment(.a)
    defer { deployment.stop() }
    let client = TestClient(deployment)
    for (uri, status) in [("coder-cred://callback", 400), ("com.example.app://callback", 201)] {
      let response = try client.register([
        "redirect_uris": [uri], "token_endpoint_auth_method": "none",
      ])
      #expect(response.status == status)
    }
  }

  @Test func `Grant types, response types and methods are checked`() throws {
    let deployment = try deployment(.b)
    defer { deployment.stop() }
    let client = TestClient(deployment)
    let wrong: [[String: Any]] = [
      ["grant_types": ["refresh_token"]], ["grant_types": ["authorization_code", "password"]],
      ["response_types": ["token"]], ["token_endpoint_auth_method": "private_key_jwt"],
      ["client_uri": "relative"], ["redirect_uris": [String]()],
    ]
    for change in wrong {
      var body: [String: Any] = ["redirect_uris": ["https://a.example/cb"]]
      body.merge(change) { $1 }
      let response = try client.register(body)
      #expect(response.status == 400)
      #expect(response["error"] == "invalid_client_metadata")
    }
    let broken = try Exchange.send(
      "POST", deployment.url + "/oauth2/register", body: Array("{".utf8))
    #expect(broken.status == 400)
    #expect(broken["error"] == nil)
    #expect(broken["message"] != nil)
  }

  @Test func `A client reads, replaces and deletes its registration`() throws {
    let deployment = try deployment(.c)
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    let read = try client.configure("GET")
    #expect(read.status == 200)
    #expect(read["client_secret"] == nil)
    #expect(read["registration_access_token"] == nil)
    let changed = try client.configure("PUT", ["redirect_uris": ["http://127.0.0.1:77/cb"]])
    #expect(changed.status == 200)
    #expect(deployment.redirectURIs(ofClient: client.id) == ["http://127.0.0.1:77/cb"])
    #expect(try client.configure("GET", token: "wrong")["error"] == "invalid_token")
    #expect(try client.configure("DELETE").status == 204)
    let gone = try client.configure("GET")
    #expect(gone.status == 401)
    #expect(gone["error_description"] == "Client not found")
    var odd = client
    odd.id = "not-a-uuid"
    #expect(try odd.configure("GET")["error"] == "invalid_client_id")
  }

  @Test func `No registration moves between public and confidential in era C`() throws {
    let deployment = try deployment(.c)
    defer { deployment.stop() }
    let uris = ["http://127.0.0.1/callback"]
    let open = try TestClient.registered(deployment, method: "none", redirectURIs: uris)
    let closed = try TestClient.registered(deployment, redirectURIs: uris)
    func put(_ client: TestClient, _ method: String?) throws -> Int {
      var body: [String: Any] = ["redirect_uris": uris]
      body["token_endpoint_auth_method"] = method
      return try client.configure("PUT", body).status
    }
    #expect(try put(open, nil) == 400)
    #expect(try put(open, "client_secret_post") == 400)
    #expect(try put(open, "none") == 200)
    #expect(try put(closed, "none") == 400)
    #expect(try put(closed, "client_secret_post") == 200)
    #expect(try put(closed, nil) == 200)
  }

  @Test func `An application made by hand has no client configuration`() throws {
    let deployment = try deployment(.c)
    defer { deployment.stop() }
    var client = TestClient(deployment)
    let made = deployment.addApplication(
      name: "By hand", redirectURIs: ["http://127.0.0.1:4999/callback"])
    (client.id, client.secret) = (made.id, made.secret)
    #expect(try client.configure("GET", token: "x").status == 403)
    #expect(try client.me(try client.signIn().access) == 200)
  }
}
