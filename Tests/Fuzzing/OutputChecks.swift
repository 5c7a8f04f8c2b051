import FoundationEssentials
import Secrets

@testable import Credentials

/// Whatever form a session is given out in, the form holds what it should and nothing else: no value
/// of it ends a line, a field or a string, or begins another.
func expectWritable(_ session: StoredSession) {
  for authtype in [false, true] {
    expectLines(session, .git(authtype: authtype, retry: true))
  }
  expectLine(session, .token) { "\($0)" }
  let scheme = session.tokenType
  expectLine(session, .header(.lines)) { "Authorization: \(scheme) \($0)" }
  expectLine(session, .header(.coder)) { "Authorization=\(scheme) \($0)" }
  expectLine(session, .header(.authorization)) { "\(scheme) \($0)" }
  expectLine(session, .header(.cookie)) { "Cookie: coder_session_token=\($0)" }
  if let text = written(session, .header(.goauth)) {
    // What Go reads: URLs up to an empty line, fields up to an empty line.
    expect(
      text
        == "\(session.deployment.url)\n\nAuthorization: \(scheme) \(session.accessToken.revealed)\n\n",
      "Go reads one URL and one field")
  }
  if let text = written(session, .header(.curl)) {
    let field = "Authorization: \(scheme) \(session.accessToken.revealed)"
    let quoted = text.dropFirst("header = ".utf8.count)
    expect(decoded(String.self, quoted) == field, "curl reads one field")
    expect(text.utf8.filter { $0 == 0x0A }.count == 1, "on one line")
  }
  expectJSON(session)
}

private func expectJSON(_ session: StoredSession) {
  let token = session.accessToken.revealed
  struct Bazel: Decodable { let headers: [String: [String]] }
  if let text = written(session, .header(.bazel)) {
    expect(
      decoded(Bazel.self, text)?.headers == ["Authorization": ["\(session.tokenType) \(token)"]],
      "Bazel reads one field")
  }
  if let text = written(session, .header(.json)) {
    expect(
      decoded([String: String].self, text) == ["Authorization": "\(session.tokenType) \(token)"],
      "a flat object with one field")
  }
  if let text = written(session, .docker) {
    let object = decoded([String: String].self, text)
    expect(object?.count == 3 && object?["Secret"] == token, "docker reads the secret")
    expect(object?["ServerURL"] == session.deployment.url, "and which server it is for")
  }
  if let text = written(session, .json) {
    let object = decoded([String: String?].self, text)
    expect(object?["access_token"] == token, "a script reads the token")
    expect(object?["account"] == session.account, "and the account")
    expect(object?["deployment"] == session.deployment.url, "and the deployment")
  }
}

/// git's attributes: each key that we know once, on a line of its own, and none that names a server.
private func expectLines(_ session: StoredSession, _ format: Credential.Format) {
  guard let text = written(session, format), !text.isEmpty else { return }
  expect(text.utf8.last == 0x0A && !text.utf8.contains { $0 == 0 || $0 == 0x0D }, "lines")
  var keys: Set<String> = []
  let known = [
    "capability[]", "authtype", "credential", "ephemeral", "username", "password",
    "password_expiry_utc", "oauth_refresh_token", "continue", "state[]",
  ]
  for line in text.utf8.dropLast().split(separator: 0x0A, omittingEmptySubsequences: false) {
    let key = String(Substring(line.prefix { $0 != UInt8(ascii: "=") }))
    expect(known.contains(key), "a key of git's: \(key.utf8.count) bytes")
    expect(keys.insert(key).inserted || key == "capability[]", "\(key) stands once")
  }
  if !session.isPlain { expect(!keys.contains("oauth_refresh_token"), "no refresh token") }
}

private func expectLine(
  _ session: StoredSession, _ format: Credential.Format, _ line: (String) -> String
) {
  guard let text = written(session, format) else { return }
  expect(text == line(session.accessToken.revealed) + "\n", "one line in \(format)")
  expect(text.utf8.dropLast().allSatisfy { (0x20...0x7E).contains($0) }, "of visible ASCII")
}

private func written(_ session: StoredSession, _ format: Credential.Format) -> String? {
  try? Credential(session).written(as: format).revealed
}

private func decoded<Value: Decodable>(_ type: Value.Type, _ text: some StringProtocol) -> Value? {
  try? JSONDecoder().decode(type, from: Data(text.utf8))
}
