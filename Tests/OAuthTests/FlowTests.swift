import Foundation
import HTTP
import OAuth
import Secrets
import Testing

@Suite struct `The whole sign-in` {
  @Test func `From a deployment's name to tokens in four requests and one page`() throws {
    let client = ScriptedClient()
    let base = "https://dev.coder.com"
    client.on("GET", base + "/.well-known/oauth-authorization-server", 200, json: metadataJSON())
    let metadata = try AuthorizationServerMetadata.discover(
      deployment: base, client: client, now: now)

    let receiver = try LoopbackReceiver()
    client.on(
      "POST", base + "/oauth2/register", 201,
      json: #"{"client_id":"c1","client_secret":"s1","redirect_uris":["\#(receiver.redirectURI)"]}"#
    )
    let registration = try ClientRegistration.register(
      RegistrationRequest(
        clientName: "coder-cred", redirectURIs: [receiver.redirectURI], metadata: metadata),
      metadata: metadata, policy: policy(), client: client, now: now)

    let verifier = CodeVerifier()
    let state = State()
    let url = try AuthorizationRequest(
      endpoint: metadata.authorizationEndpoint, clientID: registration.clientID,
      redirectURI: receiver.redirectURI, state: state, challenge: verifier.challenge
    ).url()
    let items = try #require(URLComponents(string: url)?.queryItems)
    let sent = try #require(items.first { $0.name == "state" }?.value)
    let port = receiver.port
    let browser = Handover {
      [
        RawClient.exchange(port, request(port, "/callback?code=bad&state=other")) ?? "",
        RawClient.exchange(port, request(port, "/callback?code=good&state=\(sent)")) ?? "",
      ]
    }
    let response = try receiver.waitForResponse(
      .init(state: state, metadata: metadata), seconds: 60)
    #expect(try browser.get().map { $0.prefix(12) } == ["HTTP/1.1 400", "HTTP/1.1 200"])

    client.on(
      "POST", base + "/oauth2/tokens", 200,
      json: #"{"access_token":"a","token_type":"Bearer","refresh_token":"r","expires_in":86400}"#)
    let tokens = try TokenEndpoint(
      policy().endpoint(metadata.tokenEndpoint, named: "token_endpoint"),
      authentication: registration.authentication
    ).exchange(
      code: response.code, redirectURI: receiver.redirectURI, verifier: verifier, client: client,
      now: now)
    #expect(tokens.refreshToken == Secret("r"))
    #expect(client.form["code"] == "good")
    #expect(
      client.requests.last?.headers.contains(HTTPField("Authorization", "Basic YzE6czE=")) == true)
    #expect(client.isFinished)
  }
}
