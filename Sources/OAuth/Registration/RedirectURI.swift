/// Redirect URIs as servers compare them.
enum RedirectURI {
  /// Whether a registered redirect URI takes responses for another: the same text, or a loopback
  /// address in another spelling.
  ///
  /// RFC 8252 §7.3: "The authorization server MUST allow any port to be specified at the time of
  /// the request for loopback IP redirect URIs". So a registered one without a port takes any; one
  /// with a port may be compared exactly, as older deployments do.
  static func covers(_ registered: String, _ wanted: String) -> Bool {
    if registered == wanted { return true }
    guard let one = Endpoint(registered), let other = Endpoint(wanted), one.origin.isLoopback,
      other.origin.isLoopback, one.origin.scheme == other.origin.scheme, one.path == other.path,
      one.query == other.query
    else { return false }
    return one.origin.port == other.origin.port || !one.namesPort
  }
}
