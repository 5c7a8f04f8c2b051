package import DeploymentSimulator
import Foundation
package import Testing

/// What most tests do at a desk.
extension Desk {
  /// Runs `login` with a browser that does as its flags say, and expects it to end with `status`.
  ///
  /// It signs in to the desk's deployment, or `to` another, with the browser's flags of
  /// `deployment-simulator browse`, `as` another user than its first.
  @discardableResult
  package func login(
    _ arguments: String..., to url: String? = nil, as user: String? = nil,
    browser flags: [String] = [], input: String = "", environment: [String: String] = [:],
    status: Int32 = 0, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> CommandResult {
    let browser = try browser(flags + (user.map { ["--user", $0] } ?? []))
    let result = try run(
      ["login", url ?? self.url] + arguments, input: input,
      environment: browser.merging(environment) { $1 }, sourceLocation: sourceLocation)
    #expect(
      result.status == status, "\(result.stderr)the browser: \(browserLog)",
      sourceLocation: sourceLocation)
    #expect(result.output.isEmpty, sourceLocation: sourceLocation)
    return result
  }

  /// Runs `token`, and expects one that the deployment accepts.
  @discardableResult
  package func token(
    _ flags: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let result = try run(["token", url] + flags, sourceLocation: sourceLocation)
    #expect(result.status == 0, "\(result.stderr)", sourceLocation: sourceLocation)
    #expect(result.lines.count == 1, sourceLocation: sourceLocation)
    let token = result.lines.first ?? ""
    #expect(
      deployment.isValid(accessToken: token), "the token is not valid",
      sourceLocation: sourceLocation)
    return token
  }

  /// Runs a command, and again where a busy machine lets a refresh take longer than a caller waits.
  package func runPatiently(_ arguments: [String]) throws -> CommandResult {
    var result = try run(arguments)
    for _ in 1...5 where result.status == 75 && result.stderr.contains("goes on waiting") {
      result = try run(arguments)
    }
    return result
  }

  /// A request in git-credential's format for the deployment, with more lines if given.
  package func request(_ more: String...) -> String {
    (["url=\(url)"] + more).map { $0 + "\n" }.joined() + "\n"
  }

  /// Erases the session's access token, as git does with one that was rejected: the next `get`
  /// refreshes. Returns it, or nothing when there is no session that works.
  @discardableResult
  package func eraseToken(sourceLocation: SourceLocation = #_sourceLocation) throws -> String? {
    let stored = try run(["get"], input: request(), sourceLocation: sourceLocation)
    guard let token = stored["password"], let user = stored["username"] else { return nil }
    let erased = try run(
      ["erase"], input: request("username=\(user)", "password=\(token)"),
      sourceLocation: sourceLocation)
    expectSilence(erased, "erase", sourceLocation: sourceLocation)
    return token
  }

  /// Starts a bus that denies access to the Secret Service that runs on it.
  package func startDenyingBus() throws {
    try desktop.startDenyingBus()
    waitFor("the keyring") { (try? run(["list"]).stderr.contains("denies access")) == true }
  }

  /// Writes a file below the desk's directory, with the directories it needs.
  package func write(_ text: String, to path: String) throws {
    let folder = (path as NSString).deletingLastPathComponent
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  /// Writes the configuration file, with these lines in the group of all deployments.
  package func configure(_ lines: String) throws {
    try write("[coder-cred]\n\(lines)\n", to: configuration)
  }

  /// `BROWSER` with the scripted browser of the simulator, with flags of
  /// `deployment-simulator browse`.
  package func browser(_ flags: [String] = []) throws -> [String: String] {
    let simulator = try Products.executable("deployment-simulator")
    let words = flags.joined(separator: " ")
    return try browserScript(
      "browser" + flags.joined().filter { $0.isLetter || $0.isNumber },
      "exec '\(simulator)' browse \(words) \"$1\" 2>>'\(directory)/browser.log'")
  }

  /// What the scripted browsers saw: a program that starts one shows nothing of it.
  package var browserLog: String {
    (try? String(contentsOfFile: "\(directory)/browser.log", encoding: .utf8)) ?? "never started"
  }

  /// `BROWSER` with a shell script of this name: the variable holds no quoted words.
  package func browserScript(_ name: String, _ text: String) throws -> [String: String] {
    ["BROWSER": try script(text, at: "\(directory)/\(name)")]
  }

  /// Writes an executable shell script, and returns its path.
  ///
  /// Not by ourselves: a child that another test is just starting would still have it open, and what
  /// is open for writing cannot be executed (ETXTBSY).
  @discardableResult
  package func script(_ text: String, at path: String) throws -> String {
    let written = try desktop.run(
      "/bin/sh", ["-c", "cat >\"$1\" && chmod 755 \"$1\"", "sh", path],
      input: Array("#!/bin/sh\n\(text)\n".utf8))
    try #require(written.status == 0, "\(written.stderr)")
    return path
  }

  /// Every name by which people and tools find our programs.
  package static let names = [
    "coder-cred", "git-credential-coder-cred", "docker-credential-coder-cred",
    "bazel-credential-coder-cred", "terraform-credentials-coder-cred",
    "cargo-credential-coder-cred",
  ]

  /// Makes a directory with links of all our names, as an installation does, and returns its path.
  package func installNames() throws -> String {
    let directory = "\(self.directory)/bin"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    for name in Self.names {
      try FileManager.default.createSymbolicLink(
        atPath: "\(directory)/\(name)", withDestinationPath: program)
    }
    return directory
  }

  /// The items of sessions, ordered by account.
  package func sessions() throws -> [StoredItem] {
    try desktop.items(["application": "coder-cred", "kind": "session"])
      .sorted { $0.account < $1.account }
  }

  /// The items of registrations.
  package func registrations() throws -> [StoredItem] {
    try desktop.items(["application": "coder-cred", "kind": "client"])
  }

  /// The item of the one registration.
  package func registration(sourceLocation: SourceLocation = #_sourceLocation) throws -> StoredItem
  {
    try desktop.item(
      ["application": "coder-cred", "kind": "client"], sourceLocation: sourceLocation)
  }

  /// The files of the runtime directory with this ending.
  package func runtimeFiles(_ ending: String) throws -> [String] {
    let directory = "\(directory)/run/coder-cred"
    return try FileManager.default.contentsOfDirectory(atPath: directory)
      .filter { $0.hasSuffix(ending) }.map { "\(directory)/\($0)" }
  }

  /// Lets the next refresh be tried at once, as it would be after a while.
  package func forgetFailures() throws {
    for file in try runtimeFiles(".history") { try FileManager.default.removeItem(atPath: file) }
  }

  /// Works at a desk that is signed in, with an empty log at the deployment.
  package static func withSession(
    _ settings: DeploymentSimulator.Settings = .init(),
    sourceLocation: SourceLocation = #_sourceLocation, _ work: (Desk) throws -> Void
  ) throws {
    try with(.unlocked, settings, sourceLocation: sourceLocation) { desk in
      try desk.login(sourceLocation: sourceLocation)
      desk.deployment.clearLog()
      try work(desk)
    }
  }

  /// Lets the stored access tokens have an hour behind them and so many seconds before them, so that
  /// every `get` refreshes them. The deployment does not hear of it.
  package func age(toSeconds seconds: Int = 55) throws {
    let now = Int(Date().timeIntervalSince1970)
    for session in try sessions() where session["refresh_token"] != nil {
      try desktop.change(session, ["issued_at": now - 3600, "expires_at": now + seconds])
    }
    deployment.clearLog()
  }

  /// Lets the stored access tokens have expired.
  package func expire() throws {
    try age(toSeconds: -1)
  }
}

/// What a deployment was asked for.
extension DeploymentSimulator {
  /// The refreshes so far.
  package var refreshes: [LoggedRequest] { requests.tokenRequests(grant: "refresh_token") }

  /// How many clients tried to register so far.
  package var registrationRequests: Int { requests.count(method: "POST", path: "/oauth2/register") }

  /// How many times a browser was sent to authorize so far.
  package var authorizationRequests: Int {
    requests.count(method: "GET", path: "/oauth2/authorize")
  }
}
