/// JSON that stands where something else is expected.
package enum HostileValues {
  /// Values for any field. `elsewhere` is the URL of a server that must never hear of us.
  package static func all(elsewhere: String) -> [String] {
    [
      "null", "true", "7", "-1", "1e999", "[]", "{}", #"[""]"#, #"{"a":[null]}"#, #""""#, #"" ""#,
      #""\u0000""#, #""\ud800""#, #""a\r\nSet-Cookie: b=c""#, #""a\nhost=evil.example\n""#,
      #""\u001b]0;owned\u0007\u001b[2J""#, #""\u202egnp.exe""#, #""javascript:alert(1)""#,
      #""file:///etc/passwd""#, #""coder-cred://oauth/callback?code=x""#, #""//127.0.0.1/""#,
      #""http://127.0.0.1:1/""#, #""\#(elsewhere)""#, #""\#(elsewhere)/oauth2/tokens""#,
      #""http://127.0.0.1@\#(elsewhere.dropFirst(7))/""#, #""\#(elsewhere)#@127.0.0.1""#,
      #""..%2f..%2f..%2fetc""#, #""$(id)`id`;id|id""#,
      "\"\(String(repeating: "x", count: 70_000))\"",
      String(repeating: "[", count: 2_000) + String(repeating: "]", count: 2_000),
    ]
  }
}
