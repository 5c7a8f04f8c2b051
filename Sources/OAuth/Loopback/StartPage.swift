import Secrets

/// The address that a browser is started with: it leads on to the authorization endpoint, once.
///
/// What a program is started with, every user of the machine can read (proc(5) `cmdline`). The
/// authorization URL holds state and challenge; this one holds a random path that works once, and for
/// programs of this user only.
struct StartPage {
  let path: String
  private let target: String
  private var isUsed = false

  init(leadingTo target: String) {
    path = "/start/\(Base64URL.encoded(RandomBytes.make(24)))"
    self.target = target
  }

  /// Whether a request is for this page; constant-time comparison.
  func matches(_ path: String) -> Bool { Secret(path) == Secret(self.path) }

  /// The response to a request for it; nil from the second time on.
  mutating func response() -> [UInt8]? {
    guard !isUsed else { return nil }
    isUsed = true
    let head = [
      "HTTP/1.1 302 Found", "Location: \(target)", "Content-Length: 0", "Connection: close",
      "Cache-Control: no-store", "Referrer-Policy: no-referrer",
    ]
    return Array((head.joined(separator: "\r\n") + "\r\n\r\n").utf8)
  }
}
