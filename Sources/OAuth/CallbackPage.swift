import FoundationEssentials

/// The page the browser shows when it comes back: self-contained, without scripts.
struct CallbackPage {
  let status: String
  let title: String
  let text: String
  let isSuccess: Bool

  /// The answer has arrived. What becomes of it, the terminal tells.
  static let accepted = CallbackPage(
    status: "200 OK", title: "You can go back",
    text: "The answer has arrived. Close this tab and return to the terminal.", isSuccess: true)

  /// The answer is an error, or is not acceptable.
  static func refused(_ error: OAuthError) -> CallbackPage {
    CallbackPage(
      status: "400 Bad Request", title: "Not signed in",
      text: "\(sentence(error.description)) Close this tab and return to the terminal.",
      isSuccess: false)
  }

  /// The request is not an answer to us; the real one is still awaited.
  static func ignored(_ status: String, _ text: String) -> CallbackPage {
    CallbackPage(status: status, title: "Not for this page", text: text, isSuccess: false)
  }

  /// The whole HTTP answer.
  var response: [UInt8] {
    let page = Array(html.utf8)
    let head = [
      "HTTP/1.1 \(status)",
      "Content-Type: text/html; charset=utf-8",
      "Content-Length: \(page.count)",
      "Connection: close",
      // The address of this page holds the code: it shall stay in no cache and go to no one.
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
    <p class="mark \(isSuccess ? "good" : "bad")" aria-hidden="true">\(isSuccess ? "✓" : "!")</p>
    <h1>\(Self.escaped(title))</h1>
    <p>\(Self.escaped(text))</p>
    </main>
    </body>
    </html>

    """
  }

  /// CSP Level 3 §6.7.3.3: a style element applies when the hash of its text is listed.
  private static var styleHash: String {
    "sha256-\(Data(SHA256.digest(Array(style.utf8))).base64EncodedString())"
  }

  private static let style = """
    :root { color-scheme: light dark; --ink: #1f2328; --soft: #57606a; --paper: #f6f8fa;
      --card: #ffffff; --line: #d0d7de; --good: #1a7f37; --bad: #bc4c00; }
    @media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1;
      --paper: #0d1117; --card: #161b22; --line: #30363d; --good: #3fb950; --bad: #f0883e; } }
    * { box-sizing: border-box; margin: 0; }
    body { min-height: 100vh; display: grid; place-items: center; padding: 1.5rem;
      background: var(--paper); color: var(--soft);
      font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Cantarell, Ubuntu, sans-serif; }
    main { width: 100%; max-width: 26rem; padding: 2.5rem 2rem; text-align: center;
      background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
    h1 { margin: 1rem 0 .5rem; color: var(--ink); font-size: 1.375rem; line-height: 1.25; }
    p { overflow-wrap: anywhere; }
    .mark { width: 3rem; height: 3rem; margin: 0 auto; border: 2px solid; border-radius: 50%;
      font-size: 1.5rem; line-height: 2.75rem; }
    .good { color: var(--good); }
    .bad { color: var(--bad); }
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
