extension DeploymentSimulator {
  /// What the person does on the consent page.
  public enum Decision: Sendable {
    /// Press "Allow".
    case allow
    /// Follow the "Cancel" link.
    case deny
    /// Look at the page and walk away.
    case abandon
  }

  /// What a scripted browser saw.
  public struct Visit: Sendable {
    /// The statuses of the deployment's pages, in order.
    public var statuses: [Int] = []
    /// The last page of the deployment.
    public var page = ""
    /// Where the deployment sent the browser: the client's callback, with its parameters.
    public var callback: String?
    /// The status of the callback; nil when there was none or nobody responded.
    public var callbackStatus: Int?
    /// What the callback showed.
    public var callbackPage = ""

    /// A parameter of the callback.
    public func parameter(_ name: String) -> String? {
      guard let query = callback.flatMap(URIReference.init)?.query else { return nil }
      return Parameters(urlEncoded: query)[name]
    }
  }

  /// A browser of the first user, or of another, that opens an authorization URL.
  public func browse(
    authorizationURL: String, decision: Decision = .allow, user: String? = nil,
    followingCallback: Bool = true
  ) throws(Exchange.Failure) -> Visit {
    let name = user ?? settings.users.first ?? "alice"
    return try Self.visit(
      authorizationURL, decision: decision, session: session(user: name),
      followingCallback: followingCallback)
  }

  /// The same for a deployment in another process, signed in through its control endpoint.
  ///
  /// The address may also be a page that redirects to the authorization URL, as a login opens when
  /// that is to stay out of the browser's command line.
  public static func browse(
    remote address: String, decision: Decision = .allow, user: String? = nil,
    followingCallback: Bool = true
  ) throws(Exchange.Failure) -> Visit {
    let authorizationURL = try authorizationURL(behind: address)
    guard let uri = URIReference(authorizationURL) else { throw .unusableURL }
    var command: JSON = ["command": "session"]
    if let user { command.set("user", .string(user)) }
    let control = "\(uri.scheme)://\(uri.hostAndPort)/__control"
    var seen = Visit()
    // A deployment in trouble may not know whom it has just let in: a person signs in there again.
    for _ in 1...3 where seen.statuses.isEmpty || seen.statuses == [401] {
      let response = try Exchange.send("POST", control, body: Array(command.text.utf8))
      seen = try visit(
        authorizationURL, decision: decision, session: response["session_token"] ?? "",
        followingCallback: followingCallback)
    }
    return seen
  }

  private static func authorizationURL(
    behind address: String
  ) throws(Exchange.Failure) -> String {
    guard let uri = URIReference(address), !uri.path.hasSuffix("/oauth2/authorize") else {
      return address
    }
    let response = try Exchange.load(address)
    guard (300..<400).contains(response.status) else { return address }
    return response.headers["location"] ?? address
  }

  private static func visit(
    _ url: String, decision: Decision, session: String, followingCallback: Bool
  ) throws(Exchange.Failure) -> Visit {
    let headers = ["Coder-Session-Token": session, "Accept": "text/html"]
    var visit = Visit()
    var response = try Exchange.send(url, headers: headers)
    visit.statuses.append(response.status)
    visit.page = response.text
    if response.status == 200 {
      switch decision {
      case .abandon: return visit
      case .deny:
        visit.callback = Page.attribute("href", after: "id=\"cancel-link\"", in: visit.page)
      case .allow:
        response = try Exchange.post(url, form: csrf(visit.page), headers: headers)
        visit.statuses.append(response.status)
        visit.page = response.text
      }
    }
    if response.status == 302 { visit.callback = response.headers["location"] }
    guard followingCallback, let callback = visit.callback, callback.hasPrefix("http://") else {
      return visit
    }
    let shown = try Exchange.load(callback)
    visit.callbackStatus = shown.status
    visit.callbackPage = shown.text
    return visit
  }

  private static func csrf(_ page: String) -> [(String, String)] {
    Page.attribute("value", after: "name=\"csrf_token\"", in: page).map { [("csrf_token", $0)] }
      ?? []
  }
}

extension Exchange {
  /// Loads a page of a client's, and again where the connection broke, as a person does: a client on a
  /// busy machine gives up connections that are slow.
  fileprivate static func load(_ url: String) throws(Failure) -> Exchange {
    for _ in 1...2 {
      do throws(Failure) {
        return try send(url, headers: ["Accept": "text/html"])
      } catch {
        guard case .broken = error else { throw error }
      }
    }
    return try send(url, headers: ["Accept": "text/html"])
  }

  fileprivate static func send(
    _ url: String, headers: [String: String]
  ) throws(Failure) -> Exchange {
    try send("GET", url, headers: headers)
  }
}
