import Credentials
import Foundation
import HTTP
import Login
import OAuth
import Secrets
import SessionFakes
import Sessions
import Testing

/// A value in a field of one of the server's documents.
private struct Damage {
  let path: String
  let field: String
  let value: String

  /// Every value in every field.
  static let all: [Damage] = Documents.all.flatMap { path, members in
    members.flatMap { member in
      HostileValues.all(elsewhere: "https://evil.example").map {
        Damage(path: path, field: member.name, value: $0)
      }
    }
  }

  var description: String { "\(path) \(field)=\(value.prefix(50))" }
}

/// What a good server says, by path.
private enum Documents {
  typealias Members = [(name: String, value: String)]

  private static let url = deployment.url

  static let all: [(path: String, members: Members)] = [
    (
      "/.well-known/oauth-authorization-server",
      [
        ("issuer", "\"\(url)\""), ("authorization_endpoint", "\"\(url)/oauth2/authorize\""),
        ("token_endpoint", "\"\(url)/oauth2/tokens\""),
        ("revocation_endpoint", "\"\(url)/oauth2/revoke\""),
        ("registration_endpoint", "\"\(url)/oauth2/register\""),
        ("response_types_supported", #"["code"]"#),
        ("code_challenge_methods_supported", #"["S256"]"#),
        ("grant_types_supported", #"["authorization_code","refresh_token"]"#),
        ("token_endpoint_auth_methods_supported", #"["client_secret_post","none"]"#),
        ("scopes_supported", #"["a"]"#),
      ]
    ),
    (
      "/oauth2/register",
      [
        ("client_id", #""c1""#), ("client_secret", #""s1""#), ("client_secret_expires_at", "0"),
        ("registration_access_token", #""rat""#),
        ("registration_client_uri", "\"\(url)/oauth2/clients/c1\""), ("redirect_uris", "null"),
        ("token_endpoint_auth_method", #""client_secret_post""#),
        ("grant_types", #"["authorization_code"]"#), ("client_name", #""x""#),
      ]
    ),
    (
      "/oauth2/tokens",
      [
        ("access_token", #""a1""#), ("token_type", #""Bearer""#), ("expires_in", "3600"),
        ("expiry", #""2027-01-15T09:00:00Z""#), ("refresh_token", #""r1""#), ("scope", #""a""#),
        ("error", "null"),
      ]
    ),
    ("/api/v2/users/me", [("username", #""alice""#), ("id", #""1""#), ("email", #""a@b""#)]),
  ]

  /// The response to a request for a path, with some damage done.
  static func response(_ path: String, _ damages: [Damage]) -> HTTPResponse {
    guard let document = all.first(where: { $0.path == path }) else {
      return FakeEndpoint.json(404, "{}")
    }
    let members = document.members.map { member in
      let damage = damages.first { $0.path == path && $0.field == member.name }
      return "\"\(member.name)\":\(damage?.value ?? member.value)"
    }
    return FakeEndpoint.json(
      path == "/oauth2/register" ? 201 : 200, "{\(members.joined(separator: ","))}")
  }
}

/// A server that puts anything into any field of what it says, one at a time and in pairs.
@Suite struct `Hostile fields` {
  /// Signs in at such a server; the session that comes of it, if one does.
  private func signIn(_ bench: LoginBench, _ damages: [Damage]) -> StoredSession? {
    bench.store.expected = [.unlock, .list, .remove]
    bench.mayWarn = true
    bench.prompt.queries = ["code=k1&state=STATE", "code=k2&state=STATE"]
    bench.server = FakeEndpoint { request throws(HTTPError) in
      guard request.url.hasPrefix(deployment.url + "/") else {
        Issue.record("\(damages.map(\.description)) led to \(request.url)")
        throw .broken(reason: "elsewhere")
      }
      return Documents.response(String(request.url.dropFirst(deployment.url.count)), damages)
    }
    return try? bench.run().get()
  }

  /// Expects a session to be one that can be kept and given to git, line by line.
  private func expectWellFormed(_ session: StoredSession, _ damages: [Damage]) throws {
    let kept = try StoredSession(
      payload: session.payload(), deployment: session.deployment, account: session.account)
    #expect(kept == session, "\(damages.map(\.description))")
    let request = CredentialRequest(deployment: session.deployment)
    let output = try Credential(session, to: nil).written(as: request.gitFormat).revealed
    let keys = output.split(separator: "\n").map { String($0.prefix { $0 != "=" }) }
    let known: Set = [
      "capability[]", "authtype", "credential", "ephemeral", "username", "password_expiry_utc",
    ]
    #expect(known.isSuperset(of: keys), "\(damages.map(\.description)): \(keys)")
    #expect(Set(keys).count == keys.count, "\(damages.map(\.description)): \(keys)")
    #expect(session.accessToken.isWord, "\(damages.map(\.description))")
    #expect(
      session.account.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F },
      "\(damages.map(\.description))")
  }

  @Test func `Each alone leads nowhere else, and to a session that is one or to none`() throws {
    var sessions = 0
    for damage in Damage.all {
      guard let session = signIn(try LoginBench(), [damage]) else { continue }
      sessions += 1
      try expectWellFormed(session, [damage])
    }
    // Most of what is said is never used.
    #expect(sessions > Damage.all.count / 4)
  }

  /// So many pairs are left out between two; all of them are 300,000.
  private static let stride =
    ProcessInfo.processInfo.environment["CODER_CRED_FULL"] == "1" ? 13 : 801

  @Test(arguments: 0..<4)
  func `So do pairs of them`(_ shard: Int) throws {
    let all = Damage.all
    for number in Swift.stride(
      from: shard * Self.stride / 4, to: all.count * all.count, by: Self.stride)
    {
      let pair = [all[number / all.count], all[number % all.count]]
      guard number / all.count < number % all.count, pair[0].field != pair[1].field else {
        continue
      }
      guard let session = signIn(try LoginBench(), pair) else { continue }
      try expectWellFormed(session, pair)
    }
  }

  @Test func `A refresh takes what is good of a token response, and loses nothing else`() throws {
    let ofTokens = Damage.all.filter { $0.path == "/oauth2/tokens" }
    // Each alone comes first.
    for number in 0..<(ofTokens.count * (ofTokens.count + 1))
    where number < ofTokens.count || number % (Self.stride / 13 + 1) == 0 {
      let first = ofTokens[number % ofTokens.count]
      let second = number < ofTokens.count ? first : ofTokens[number / ofTokens.count - 1]
      let bench = Bench()
      let before = bench.store.session
      bench.respond = { _ throws(HTTPError) in
        Documents.response("/oauth2/tokens", [first, second])
      }
      switch bench.refreshed() {
      case .success(let session): try expectWellFormed(session, [first, second])
      case .failure:
        let after = bench.store.session
        #expect(after?.accessToken == before?.accessToken, "\(first.description)")
        #expect(after?.refreshToken == before?.refreshToken, "\(first.description)")
      }
    }
  }
}
