import CCurl

/// The proxy a request goes through, chosen from the settings' environment.
struct ProxyChoice {
  /// Scheme, host and port, without credentials: for `CURLOPT_PROXY` and for error texts.
  let url: String
  let authority: String
  let user: String?
  let password: String?

  /// The proxy for a target; nil for a direct connection.
  ///
  /// `NO_PROXY` is left to libcurl, which knows suffixes and address ranges.
  static func forTarget(
    _ target: RequestTarget, _ settings: TransportSettings
  ) throws(HTTPError) -> ProxyChoice? {
    let named: (name: String, value: String)?
    if target.isSecure {
      named = settings.variable("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    } else if target.isLoopback {
      named = nil
    } else {
      // `HTTP_PROXY` in capitals is what a CGI server makes of a request's `Proxy` field
      // (CVE-2016-5385): lower case only.
      named = settings.variable("http_proxy", "all_proxy", "ALL_PROXY")
    }
    guard let named else { return nil }
    guard let proxy = ProxyChoice(named.value) else {
      throw .misconfigured(reason: "\(named.name) is not the URL of a proxy that can be used")
    }
    return proxy
  }

  private init?(_ text: String) {
    let schemes = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"]
    guard let url = ParsedURL(text.contains("://") ? text : "http://" + text),
      let scheme = url.part(CURLUPART_SCHEME)?.lowercased(), schemes.contains(scheme),
      let host = url.part(CURLUPART_HOST), !host.isEmpty
    else { return nil }
    authority = url.part(CURLUPART_PORT).map { "\(host):\($0)" } ?? host
    self.url = "\(scheme)://\(authority)"
    user = url.part(CURLUPART_USER, decoded: true)
    password = url.part(CURLUPART_PASSWORD, decoded: true)
  }
}
