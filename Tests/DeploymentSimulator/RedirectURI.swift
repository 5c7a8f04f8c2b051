/// Which redirect URIs a deployment registers, and which it recognises.
enum RedirectURI {
  private static let outOfBand = "urn:ietf:wg:oauth:2.0:oob"

  /// Why a URI cannot be registered; nil when it can.
  static func problem(
    _ text: String, asksForNoSecret: Bool, era: DeploymentSimulator.Era
  ) -> String? {
    if text.isEmpty { return "must not be empty" }
    if text.contains("#") { return "must not contain a fragment" }
    if era == .c && text.utf8.count > 2048 { return "must not exceed 2048 bytes" }
    guard let uri = URIReference(text) else { return "must have a scheme" }
    if ["javascript", "data", "file", "ftp"].contains(uri.scheme) {
      return "scheme \(uri.scheme) is not allowed"
    }
    if uri.scheme == "urn" {
      return text == outOfBand ? nil : "only \(outOfBand) is allowed as a urn"
    }
    if uri.scheme == "http" || uri.scheme == "https" {
      if uri.host.isEmpty { return "must have a host" }
      guard uri.scheme == "http", !isLocal(uri.host, asksForNoSecret) else { return nil }
      return "must use https unless the host is local"
    }
    if era == .c {
      if asksForNoSecret && ["mailto", "tel", "sms"].contains(uri.scheme) {
        return "scheme \(uri.scheme) is not allowed for a public client"
      }
      let isOpaque = uri.authority == nil && !uri.path.hasPrefix("/")
      let isBare = (uri.authority ?? "").isEmpty && (uri.path.isEmpty || uri.path == "/")
      if isOpaque || isBare { return "a custom scheme needs a host or a path" }
    } else if asksForNoSecret && !uri.scheme.contains(".") {
      return "a public client must use a reverse domain notation scheme"
    }
    return nil
  }

  private static func isLocal(_ host: String, _ asksForNoSecret: Bool) -> Bool {
    if URIReference.loopbackHosts.contains(host) { return true }
    return !asksForNoSecret && host.hasSuffix(".localhost")
  }

  /// Whether a request's URI is one of those registered.
  static func matches(
    _ text: String, registered: [String], era: DeploymentSimulator.Era
  ) -> Bool {
    switch era {
    case .a: registered.first.map { matchesEarly(text, $0) } ?? false
    case .b: registered.first == text
    case .c: registered.contains { $0 == text || matchesLoopback(text, $0) }
    }
  }

  /// Era A: host and port exactly, a path that begins alike, any scheme.
  private static func matchesEarly(_ text: String, _ registered: String) -> Bool {
    if text == registered { return true }
    guard let asked = URIReference(text), let known = URIReference(registered) else { return false }
    return asked.authority != nil && asked.fragment == nil
      && asked.hostAndPort == known.hostAndPort && asked.path.hasPrefix(known.path)
  }

  /// RFC 8252 section 7.3: "The authorization server MUST allow any port to be specified at the
  /// time of the request for loopback IP redirect URIs".
  private static func matchesLoopback(_ text: String, _ registered: String) -> Bool {
    guard let asked = URIReference(text), let known = URIReference(registered),
      asked.scheme == "http", known.scheme == "http",
      URIReference.loopbackHosts.contains(known.host), asked.host == known.host
    else { return false }
    let named = asked.hostAndPort.dropLast(asked.port.map { String($0).count + 1 } ?? 0)
    let kept = known.hostAndPort.dropLast(known.port.map { String($0).count + 1 } ?? 0)
    return named == kept && !(asked.authority ?? "").contains("@")
      && asked.path == known.path && asked.query == known.query && asked.fragment == nil
  }

  /// The callback with the response's parameters; of its own query everything else is kept.
  static func callback(_ text: String, _ parameters: [Field]) -> String {
    var parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let own = parts.count > 1 ? Parameters(urlEncoded: parts.removeLast()) : Parameters()
    let replaced = ["code", "error", "error_description", "state"]
    var all = Parameters()
    all.fields = own.fields.filter { !replaced.contains($0.name) } + parameters
    return parts[0] + "?" + all.encoded
  }

  /// RFC 6749 section 4.1.2.1: values "MUST NOT include characters outside the set
  /// %x20-21 / %x23-5B / %x5D-7E".
  static func printable(_ description: String) -> String {
    let kept = description.unicodeScalars.filter {
      (0x20...0x7e).contains($0.value) && $0 != "\"" && $0 != "\\"
    }
    let text = String(String.UnicodeScalarView(kept))
    return text.utf8.count <= 2048 ? text : text.prefix(2048) + " (truncated)"
  }
}
