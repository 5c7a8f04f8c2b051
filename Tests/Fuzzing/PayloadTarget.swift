import CGLib
import Secrets

@testable import Credentials
@testable import Sessions

extension FuzzTarget {
  /// What an item of the keyring holds, as we wrote it or as somebody has left it.
  static let storedPayload = FuzzTarget(name: "stored-payload", maximumBytes: 8192) { bytes in
    guard let text = String(validating: bytes, as: UTF8.self) else { return }
    if let payload = try? Payload(parsing: Secret(text)), let line = try? payload.encoded() {
      expectSurvival(line)
      let again = expectNoError("what is written is read") { try Payload(parsing: line) }
      expect(again == payload, "a payload is read as it was written")
      expect((try? again.encoded()) == line, "and written as it was read")
    }
    // Whose it is, it says itself here.
    let payload = try? Payload(parsing: Secret(text))
    guard let url = payload?[text: "url"], let deployment = try? Deployment(storedURL: url)
    else { return }
    let account = payload?[text: "account"] ?? ""
    if let session = try? StoredSession(
      payload: Secret(text), deployment: deployment, account: account)
    {
      expect(session.deployment == deployment && session.account == account, "it is whose it says")
      if let line = try? session.payload() { expectReadable(line, as: session) }
      expectWritable(session)
      expectNoOverflow(session)
    }
    if let registration = try? StoredRegistration(payload: Secret(text), deployment: deployment),
      let line = try? registration.payload()
    {
      expectSurvival(line)
      let again = expectNoError("a registration is read as it was written") {
        try StoredRegistration(payload: line, deployment: deployment)
      }
      expect((try? again.payload()) == line, "and written as it was read")
    }
  }
}

/// What is stored of a session is the session.
func expectReadable(_ payload: Secret, as session: StoredSession) {
  expectSurvival(payload)
  let again = expectNoError("a session is read as it was written") {
    try StoredSession(
      payload: payload, deployment: session.deployment, account: session.account)
  }
  expect((try? again.payload()) == payload, "and written as it was read")
  // What is left are fields that we do not know, and those of another type than ours.
  expect(again.accessToken == session.accessToken, "one token")
  expect(again.passwordCredential == session.passwordCredential, "one credential")
  expect(again.refreshToken == session.refreshToken, "one refresh token")
  expect(again.method == session.method && again.isPlain == session.isPlain, "one kind")
  expect(again.expiresAt == session.expiresAt && again.storedAt == session.storedAt, "one life")
  expect(again.scope == session.scope && again.clientID == session.clientID, "one grant")
  expect(
    again.tokenType == session.tokenType || session.encodedCredential == nil, "one token type")
}

/// No decision about a session overflows, whatever the clock says.
func expectNoOverflow(_ session: StoredSession) {
  for now in [Int64.min, -1, 0, 1_700_000_000, .max] {
    _ = session.isFresh(now: now, minimumSeconds: 60)
    _ = session.hasEnded(now: now)
  }
}

/// A payload survives a gnome-keyring without a password, which keeps it as a value of a GKeyFile and
/// loses there what needs an escape or a second line.
func expectSurvival(_ payload: Secret) {
  let text = payload.revealed
  let file = g_key_file_new()
  let copy = g_key_file_new()
  defer {
    g_key_file_unref(file)
    g_key_file_unref(copy)
  }
  g_key_file_set_value(file, "1", "secret", text)
  g_key_file_set_value(file, "2", "secret", "another application's")
  var length: gsize = 0
  guard let data = g_key_file_to_data(file, &length, nil) else { return }
  defer { g_free(data) }
  expect(
    g_key_file_load_from_data(copy, data, length, cglib_key_file_flags_none(), nil) != 0,
    "a plain-text keyring can be read again")
  expect(string(copy, "1", g_key_file_get_value) == text, "a plain-text keyring keeps a payload")
  expect(string(copy, "1", g_key_file_get_string) == text, "and escapes nothing in it")
  expect(
    string(copy, "2", g_key_file_get_value) == "another application's",
    "and what others keep there")
}

private typealias Getter = (
  OpaquePointer?, UnsafePointer<gchar>?, UnsafePointer<gchar>?,
  UnsafeMutablePointer<UnsafeMutablePointer<GError>?>?
) -> UnsafeMutablePointer<gchar>?

private func string(_ file: OpaquePointer?, _ group: String, _ get: Getter) -> String? {
  let value = get(file, group, "secret", nil)
  defer { g_free(value) }
  return value.map { String(cString: $0) }
}
