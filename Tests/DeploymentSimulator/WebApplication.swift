extension ServerState {
  /// Everything outside the API: a few pages, and the single page application for the rest.
  mutating func webApplication(_ request: Request) -> Response {
    guard request.method == "GET" || request.method == "HEAD" else { return .empty(405) }
    if request.path == "/cli-auth" {
      guard let session = session(of: request) else { return login(request) }
      let token = sessionToken(session.user)
      return .html(
        200,
        """
        <!doctype html><title>Session token</title><p>Copy the session token below.</p>
        <code id="session-token" data-token="\(token)">\(token)</code>
        """)
    }
    let title = request.path == "/login" ? "Sign in to Coder" : "Coder"
    return .html(
      200,
      "<!doctype html><html><head><title>\(title)</title></head>"
        + "<body><div id=\"root\"></div></body></html>")
  }
}
