import DeploymentSimulator
import Foundation
import Testing

struct AuthorizeTests {
  @Test func `Nobody signed in is sent to the login page`() throws {
    let deployment = try deployment(.c)
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    let response = try Exchange.send(client.authorizationURL())
    #expect(response.status == 303)
    #expect(response.headers["location"]?.hasPrefix("/login?message=") == true)
  }

  @Test func `A browser with a cookie needs the page's CSRF token`() throws {
    let deployment = try deployment(.c)
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    let cookie = ["Cookie": "coder_session_token=" + deployment.session(user: "alice")]
    let page = try Exchange.send("GET", client.authorizationURL(), headers: cookie)
    let token = try #require(page.text.firstMatch(of: /name="csrf_token" value="([0-9a-f]+)"/)?.1)
    let without = try Exchange.post(client.authorizationURL(), form: [], headers: cookie)
    #expect(without.status == 400)
    let with = try Exchange.post(
      client.authorizationURL(), form: [("csrf_token", String(token))], headers: cookie)
    #expect(with.status == 302)
  }

  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `A denial reaches the callback with its state`(era: DeploymentSimulator.Era) throws {
    let deployment = try deployment(era)
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    let visit = try client.visit(decision: .deny)
    #expect(visit.parameter("error") == "access_denied")
    #expect(visit.parameter("state") == "s1")
    deployment.change { $0.consent = .deny }
    #expect(try client.visit().parameter("error") == "access_denied")
  }

  @Test func `Unknown parameters are refused in the browser before era C`() throws {
    for era in DeploymentSimulator.Era.allCases {
      let deployment = try deployment(era)
      defer { deployment.stop() }
      let client = try TestClient.registered(deployment)
      let visit = try client.visit([("prompt", "consent")])
      #expect(visit.statuses == (era == .c ? [200, 302] : [400]))
      #expect((visit.callback == nil) == (era != .c))
    }
  }

  @Test func `PKCE may be left out in era A only`() throws {
    for era in DeploymentSimulator.Era.allCases {
      let deployment = try deployment(era)
      defer { deployment.stop() }
      let client = try TestClient.registered(deployment)
      let visit = try client.visit([("code_challenge", ""), ("code_challenge_method", "")])
      switch era {
      case .a:
        let code = try #require(visit.parameter("code"))
        #expect(try client.exchange(code, [("code_verifier", "")]).status == 200)
      case .b: #expect(visit.statuses == [400] && visit.callback == nil)
      case .c:
        #expect(visit.statuses == [302])
        #expect(visit.parameter("error") == "invalid_request")
      }
    }
  }

  @Test func `Errors of era C travel to the callback`() throws {
    let deployment = try deployment(.c)
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    let cases = [
      ("response_type", "token", "unsupported_response_type"),
      ("code_challenge_method", "plain", "invalid_request"),
      ("code_challenge", "short", "invalid_request"), ("scope", "openid", "invalid_scope"),
      ("resource", "relative", "invalid_target"), ("response_type", "", "invalid_request"),
    ]
    for (name, value, error) in cases {
      let visit = try client.visit([(name, value)])
      #expect(visit.parameter("error") == error, "\(name)=\(value)")
      #expect(visit.parameter("state") == "s1")
    }
    let twice = try deployment.browse(
      authorizationURL: client.authorizationURL() + "&state=s2", followingCallback: false)
    #expect(twice.parameter("error") == "invalid_request")
  }

  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `A wrong client or redirect URI is never redirected`(
    era: DeploymentSimulator.Era
  ) throws {
    let deployment = try deployment(era)
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    let foreign = try client.visit([("redirect_uri", "http://127.0.0.1:4999/other")])
    #expect(foreign.statuses == [400])
    #expect(foreign.callback == nil)
    #expect(foreign.page.contains("must exactly match"))
    let unknown = try client.visit([("client_id", UUID().uuidString)])
    #expect(unknown.statuses == [401])
    #expect(unknown.page.contains("invalid_client"))
  }

  @Test func `Redirect URIs match as their era matches`() throws {
    let registered = ["http://127.0.0.1:4999/callback", "http://127.0.0.1:5000/second"]
    // URI, era A, era B, era C.
    let cases: [(String, Bool, Bool, Bool)] = [
      ("http://127.0.0.1:4999/callback", true, true, true),
      ("http://127.0.0.1:53219/callback", false, false, true),
      ("http://127.0.0.1/callback", false, false, true),
      ("http://localhost:4999/callback", false, false, false),
      ("https://127.0.0.1:4999/callback", true, false, false),
      ("http://127.0.0.1:4999/callback/deeper", true, false, false),
      ("http://127.0.0.1:4999/", false, false, false),
      ("http://127.0.0.1:4999/callback?x=1", true, false, false),
      ("http://127.0.0.1:5000/second", false, false, true),
      ("http://127.0.0.1:4999@evil.example/callback", false, false, false),
    ]
    for era in DeploymentSimulator.Era.allCases {
      let deployment = try deployment(era)
      defer { deployment.stop() }
      let client = try TestClient.registered(deployment, redirectURIs: registered)
      for (uri, a, b, c) in cases {
        let visit = try client.visit([("redirect_uri", uri)])
        let expected = era == .a ? a : era == .b ? b : c
        #expect((visit.callback != nil) == expected, "\(era) \(uri)")
      }
    }
  }

  @Test func `The callback keeps its own query but for the response's names`() throws {
    let deployment = try deployment(.c)
    defer { deployment.stop() }
    let uri = "https://a.example/cb?keep=1&code=old&state=old"
    let client = try TestClient.registered(deployment, redirectURIs: [uri])
    let visit = try client.visit()
    #expect(visit.parameter("keep") == "1")
    #expect(visit.parameter("code")?.hasPrefix("coder_") == true)
    #expect(visit.callback?.contains("=old") == false)
    #expect(try client.visit([("state", "")]).callback?.contains("state=") == false)
  }

  @Test func `Scopes are negotiated against the allowlist, by coverage`() throws {
    let deployment = try deployment(.c)
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment, scope: "coder:workspaces.access openid")
    let narrow = try client.code([("scope", "workspace:ssh workspace:ssh")])
    let response = try client.exchange(narrow)
    #expect(response["scope"] == "workspace:ssh")
    #expect(try client.me(try TestClient.pair(response).access) == 404)
    #expect(try client.visit([("scope", "user:read")]).parameter("error") == "invalid_scope")
    #expect(try client.exchange(try client.code())["scope"] == "coder:workspaces.access")
    let openID = try TestClient.registered(deployment, scope: "openid profile")
    #expect(try openID.visit().parameter("error") == "invalid_scope")
    let free = try TestClient.registered(deployment)
    #expect(try free.exchange(try free.code([("scope", "all")]))["scope"] == "coder:all")
  }

  @Test func `The scripted browser follows the redirect to the callback`() throws {
    let deployment = try deployment(.c)
    defer { deployment.stop() }
    let client = try TestClient.registered(
      deployment, redirectURIs: [deployment.url + "/callback"])
    let visit = try DeploymentSimulator.browse(remote: client.authorizationURL())
    #expect(visit.callbackStatus == 200)
    #expect(deployment.requests.last?.queryNames == ["code", "state"])
  }
}
