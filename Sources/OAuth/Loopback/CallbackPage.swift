import FoundationEssentials
import Secrets

/// The page the browser shows when it comes back: self-contained, without scripts.
struct CallbackPage {
  let status: String
  let title: String
  let text: String
  let advice: String
  let isSuccess: Bool

  /// The response has arrived. What becomes of it, the terminal says.
  static func accepted(_ expected: AuthorizationResponse.Expectation) -> CallbackPage {
    CallbackPage(
      status: "200 OK", title: "You can close this tab",
      text: "The response from \(name(expected)) has arrived.",
      advice: expected.account.map {
        "You asked to sign in as \(ForeignText.label($0)). The terminal says whether that worked."
      } ?? "The terminal says whether you are signed in.",
      isSuccess: true)
  }

  /// The response is an error, or is not acceptable.
  static func refused(
    _ error: OAuthError, _ expected: AuthorizationResponse.Expectation
  ) -> CallbackPage {
    CallbackPage(
      status: "400 Bad Request", title: "Not signed in to \(name(expected))",
      text: sentence(error.description), advice: "Close this tab and return to the terminal.",
      isSuccess: false)
  }

  /// The request is not the response; the real one is still awaited.
  static func ignored(
    _ status: String, _ text: String, _ expected: AuthorizationResponse.Expectation
  ) -> CallbackPage {
    CallbackPage(
      status: status, title: "Not part of the sign-in", text: text,
      advice: "The sign-in to \(name(expected)) goes on in its own tab.", isSuccess: false)
  }

  private static func name(_ expected: AuthorizationResponse.Expectation) -> String {
    expected.displayName.map(ForeignText.label) ?? "the deployment"
  }

  /// The whole HTTP response.
  var response: [UInt8] {
    let page = Array(html.utf8)
    let head = [
      "HTTP/1.1 \(status)",
      "Content-Type: text/html; charset=utf-8",
      "Content-Length: \(page.count)",
      "Connection: close",
      // The address of this page holds the code: it must stay in no cache and be sent to nobody.
      "Cache-Control: no-store",
      "Referrer-Policy: no-referrer",
      "X-Content-Type-Options: nosniff",
      "Content-Security-Policy: default-src 'none'; style-src '\(Self.styleHash)'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      "Cross-Origin-Resource-Policy: same-origin",
    ]
    return Array((head.joined(separator: "\r\n") + "\r\n\r\n").utf8) + page
  }

  private var html: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>\(Self.escaped(title)) · coder-cred</title>
    <style>\(Self.style)</style>
    </head>
    <body>
    <main>
    <svg class="\(isSuccess ? "good" : "bad")" viewBox="0 0 48 48" aria-hidden="true">
    <circle cx="24" cy="24" r="24"/><path d="\(isSuccess ? Self.tick : Self.mark)"/>
    </svg>
    <h1>\(Self.escaped(title))</h1>
    <p>\(Self.escaped(text))</p>
    <p class="advice">\(Self.escaped(advice))</p>
    </main>
    <footer>coder-cred</footer>
    </body>
    </html>

    """
  }

  /// CSP Level 3 §6.7.3.3: a style element applies when the hash of its text is listed.
  private static var styleHash: String {
    "sha256-\(Data(SHA256.digest(style.utf8)).base64EncodedString())"
  }

  /// The strokes within the circle.
  private static let tick = "M15 24.5l6.2 6.2L33.5 18"
  private static let mark = "M24 14v12.5M24 33v.1"

  private static let style = """
    :root { color-scheme: light dark; --ink: #1f2328; --soft: #57606a; --paper: #f3f4f6;
      --card: #ffffff; --line: #d8dee4; --good: #1a7f37; --bad: #bc4c00;
      --shade: 0 1px 2px #1f232814, 0 12px 32px #1f23281a; }
    @media (prefers-color-scheme: dark) { :root { --ink: #f0f3f6; --soft: #9ea7b3;
      --paper: #0d1117; --card: #161b22; --line: #30363d; --good: #3fb950; --bad: #f0883e;
      --shade: 0 12px 32px #00000066; } }
    * { box-sizing: border-box; margin: 0; }
    body { min-height: 100vh; display: flex; flex-direction: column; align-items: center;
      justify-content: center; gap: 1.5rem; padding: 1.5rem; text-align: center;
      background: var(--paper); color: var(--soft);
      font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Cantarell, Ubuntu, sans-serif; }
    main { width: 100%; max-width: 27rem; padding: 2.75rem 2.25rem 2.5rem;
      background: var(--card); border: 1px solid var(--line); border-radius: 16px;
      box-shadow: var(--shade); }
    h1 { margin: 1.25rem 0 .5rem; color: var(--ink); font-size: 1.375rem; line-height: 1.25; }
    p { overflow-wrap: anywhere; text-wrap: balance; }
    svg { display: block; width: 3.5rem; margin: 0 auto; }
    circle { fill: currentColor; opacity: .14; }
    path { fill: none; stroke: currentColor; stroke-width: 3.5; stroke-linecap: round;
      stroke-linejoin: round; }
    .good { color: var(--good); }
    .bad { color: var(--bad); }
    .bad ~ p:not(.advice) { color: var(--ink); }
    .advice { margin-top: .75rem; font-size: .9375rem; }
    footer { font: .8125rem/1 ui-monospace, "DejaVu Sans Mono", monospace; letter-spacing: .04em; }
    """

  private static func sentence(_ text: String) -> String {
    text.prefix(1).uppercased() + text.dropFirst() + (text.hasSuffix(".") ? "" : ".")
  }

  /// Text that HTML reads as text, in elements and attributes alike.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
