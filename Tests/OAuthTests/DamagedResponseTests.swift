import Foundation
import HTTP
import Secrets
import Testing

@testable import OAuth

/// A token response that can be damaged before it is written out.
private struct Draft {
  var status = 200
  var type: String? = "application/json"
  /// Name and value as JSON.
  var members: [(name: String, value: String)] = []
  var prefix: [UInt8] = []
  var suffix: [UInt8] = []
  var separator = ","
  var isForm = false
  var isWrittenTwice = false
  var hasBarePluses = false
  /// The encoding in place of UTF-8, if there is one.
  var encoding: String.Encoding?

  /// What must be read; nil where a damage hit the member itself.
  let accessToken: String
  var refreshToken: String?

  init(_ noise: inout Noise) {
    accessToken = Self.word(&noise)
    let refreshToken = Bool.random(using: &noise) ? Self.word(&noise) : nil
    self.refreshToken = refreshToken
    members = [
      ("access_token", "\"\(accessToken)\""), ("token_type", "\"Bearer\""), ("expires_in", "3600"),
      ("scope", "\"coder:all\""), ("expiry", "\"2027-01-15T09:00:00Z\""),
    ]
    if let refreshToken { members.append(("refresh_token", "\"\(refreshToken)\"")) }
    members.shuffle(using: &noise)
  }

  private static func word(_ noise: inout Noise) -> String {
    let letters = Array("abcXYZ0189-._~+/=:;,{}[]<>&%'#")
    return String(
      (0..<Int.random(in: 1...60, using: &noise)).map { _ in
        letters.randomElement(using: &noise) ?? "a"
      })
  }

  mutating func set(_ name: String, _ value: String?) {
    members.removeAll { $0.name == name }
    if let value { members.insert((name, value), at: members.count / 2) }
  }

  var response: HTTPResponse {
    let headers = type.map { [HTTPField("Content-Type", $0)] } ?? []
    let text =
      isForm
      ? form : "{" + members.map { "\"\($0.name)\":\($0.value)" }.joined(separator: separator) + "}"
    let written = isWrittenTwice && !isForm ? JSONValue.string(text).text : text
    let body = prefix + Array(written.utf8) + (isForm ? [] : suffix)
    return HTTPResponse(
      status: status, headers: headers,
      body: encoding.map { encoded(String(decoding: body, as: UTF8.self), $0) } ?? body)
  }

  /// A text in UTF-16, with a byte order mark unless it begins like an object.
  private func encoded(_ text: String, _ encoding: String.Encoding) -> [UInt8] {
    let bytes = Array(text.data(using: encoding) ?? Data())
    guard prefix.isEmpty, !isForm, !isWrittenTwice else {
      return (encoding == .utf16LittleEndian ? [0xFF, 0xFE] : [0xFE, 0xFF]) + bytes
    }
    return bytes
  }

  /// The members that a form can hold: strings without escapes.
  private var form: String {
    members.filter { $0.value.hasPrefix("\"") && !$0.value.contains("\\") }.compactMap { member in
      let value = member.value.dropFirst().dropLast()
      return String(value).addingPercentEncoding(withAllowedCharacters: .alphanumerics)
        .map { hasBarePluses ? $0.replacing("%2B", with: "+") : $0 }
        .map { "\(member.name)=\($0)" }
    }.joined(separator: "&")
  }
}

/// What a server, a proxy or a library may do to a good response.
private let damages: [(String, @Sendable (inout Draft, inout Noise) -> Void)] = [
  ("status", { draft, noise in draft.status = Int.random(in: 200...299, using: &noise) }),
  (
    "media type",
    { draft, noise in
      draft.type =
        [
          nil, "", "text/html", "text/plain; charset=utf-8", "application/x-www-form-urlencoded",
          "application/octet-stream", "application/JSON", "json", ";",
        ].randomElement(using: &noise) ?? nil
    }
  ),
  ("byte order mark", { draft, _ in draft.prefix = [0xEF, 0xBB, 0xBF] }),
  ("blanks before", { draft, _ in draft.prefix = Array("\r\n \t".utf8) }),
  (
    "script guard",
    { draft, _ in if !draft.isForm, !draft.isWrittenTwice { draft.prefix = Array(")]}',\n".utf8) } }
  ),
  (
    "UTF-16",
    { draft, noise in
      draft.encoding = [.utf16LittleEndian, .utf16BigEndian].randomElement(using: &noise)
    }
  ),
  (
    "written twice",
    { draft, _ in
      draft.isWrittenTwice = true
      draft.prefix = []
    }
  ),
  (
    "a warning before",
    { draft, _ in
      let warning = "\nDeprecated: a parameter in /srv/www/token.php on line 12\n\n"
      if !draft.isForm, !draft.isWrittenTwice { draft.prefix = Array(warning.utf8) }
    }
  ),
  (
    "scheme before the token",
    { draft, _ in draft.set("access_token", "\"Bearer \(draft.accessToken)\"") }
  ),
  ("bare pluses in a form", { draft, _ in draft.hasBarePluses = true }),
  ("blanks after", { draft, _ in draft.suffix = Array("\r\n\r\n".utf8) }),
  ("text after", { draft, _ in draft.suffix = Array("<!-- 12 ms -->".utf8) }),
  ("second object", { draft, _ in draft.suffix = Array(#"{"error":"x"}"#.utf8) }),
  ("comma at the end", { draft, _ in draft.members.append(("x", "1,")) }),
  ("blanks between", { draft, _ in draft.separator = " ,\r\n\t" }),
  ("no token type", { draft, _ in draft.set("token_type", nil) }),
  (
    "odd token type",
    { draft, noise in
      draft.set(
        "token_type",
        ["\"\"", "null", "1", "\"bearer\"", "\"DPoP\"", "[]", "\"a\\r\\nb\""]
          .randomElement(using: &noise))
    }
  ),
  (
    "odd lifetime",
    { draft, noise in
      draft.set(
        "expires_in",
        ["null", "\"3600\"", "-1", "1e999", "[]", "\"soon\"", "{}", "0"]
          .randomElement(using: &noise))
    }
  ),
  (
    "odd scope",
    { draft, noise in
      draft.set("scope", ["null", "7", "[]", "[\"a\"]", "\"\\n\""].randomElement(using: &noise))
    }
  ),
  (
    "error beside",
    { draft, noise in
      draft.set("error", ["\"\"", "null", "\"x\"", "0", "{}"].randomElement(using: &noise))
    }
  ),
  (
    "nested member",
    { draft, _ in draft.set("user", #"{"access_token":"no","refresh_token":["no"],"a":[{"b":1}]}"#)
    }
  ),
  (
    "deep member",
    { draft, noise in
      let depth = Int.random(in: 30...300, using: &noise)
      draft.set(
        "deep", String(repeating: "[", count: depth) + String(repeating: "]", count: depth))
    }
  ),
  (
    "broken member",
    { draft, noise in
      draft.set(
        "broken",
        ["tru", "01", "\"\\x\"", "'a'", "NaN", "-", "[1,"].dropLast()
          .randomElement(using: &noise))
    }
  ),
  (
    "repeated member",
    { draft, noise in
      if let member = draft.members.randomElement(using: &noise) { draft.members.append(member) }
    }
  ),
  (
    "long member",
    { draft, _ in
      draft.set("id_token", "\"\(String(repeating: "x", count: 9000))\"")
    }
  ),
  (
    "not UTF-8 elsewhere",
    { draft, _ in
      // Latin-1, as it is found in names.
      draft.suffix = [0x20, 0xE9, 0xFF]
    }
  ),
  (
    "no refresh token",
    { draft, _ in
      draft.set("refresh_token", nil)
      draft.refreshToken = nil
    }
  ),
  (
    "empty refresh token",
    { draft, noise in
      draft.set("refresh_token", ["\"\"", "null", "7", "[]"].randomElement(using: &noise))
      draft.refreshToken = nil
    }
  ),
  (
    "escaped token",
    { draft, _ in
      let escaped = draft.accessToken.unicodeScalars.map {
        let digits = String($0.value, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }.joined()
      if draft.isForm { return }
      draft.set("access_token", "\"\(escaped)\"")
    }
  ),
  (
    "form",
    { draft, _ in
      // Its tokens are written without escapes, and nothing stands before it.
      draft.set("access_token", "\"\(draft.accessToken)\"")
      draft.prefix = draft.prefix.filter { $0 <= 0x20 || $0 >= 0x80 }
      draft.isForm = true
      draft.type = "application/x-www-form-urlencoded"
    }
  ),
]

@Suite struct `Damaged token responses` {
  // 12,000 in all. The seed makes a failure repeatable: its name says which damages were done.
  @Test(arguments: 1...8)
  func `Whatever leaves the access token readable yields the session`(_ seed: UInt64) throws {
    var noise = Noise(state: seed)
    for _ in 0..<1500 {
      var draft = Draft(&noise)
      let chosen = damages.shuffled(using: &noise).prefix(Int.random(in: 1...2, using: &noise))
      for (_, damage) in chosen { damage(&draft, &noise) }
      let response = ServerResponse(draft.response)
      let names = chosen.map(\.0).joined(separator: ", ")
      do {
        let tokens = try TokenResponse(response, requestedScope: nil, now: now)
        guard tokens.accessToken == Secret(draft.accessToken),
          tokens.refreshToken == draft.refreshToken.map({ Secret($0) }),
          tokens.tokenType == "Bearer", tokens.expiresAt.map({ $0 > now }) ?? true
        else {
          Issue.record("\(names): other tokens than were sent")
          return
        }
      } catch {
        Issue.record("\(names): \(error)")
        return
      }
    }
  }
}
