import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// A login without a terminal that waits for its answer.
struct Waiting {
  let login: ChildProcess
  private let log: String

  /// Starts `login` and opens no browser.
  init(_ desk: Desk, _ arguments: [String] = [], environment: [String: String] = [:]) throws {
    log = "\(desk.session.directory)/login-\(UUID().uuidString)"
    login = try desk.session.start(
      desk.program, ["login", desk.url, "--no-browser"] + arguments, environment: environment,
      log: log)
  }

  /// What it has said so far.
  var said: String {
    String(decoding: FileManager.default.contents(atPath: log) ?? Data(), as: UTF8.self)
  }

  /// The address it tells to open, once it waits.
  func address(sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
    wait(for: "the address", sourceLocation: sourceLocation) {
      said.contains("Waiting ") || login.exit != nil
    }
    let line = said.split(separator: "\n").first { $0.hasPrefix("  http") }
    return String(try #require(line, "\(said)", sourceLocation: sourceLocation).dropFirst(2))
  }

  /// A parameter of the authorization request.
  func parameter(_ name: String) throws -> String {
    let items = URLComponents(string: try address())?.queryItems
    return try #require(items?.first { $0.name == name }?.value)
  }

  /// Opens a page of its receiver.
  func open(_ query: String) throws -> (status: Int, page: String) {
    let answer = try Exchange.send("GET", "\(parameter("redirect_uri"))?\(query)")
    return (answer.status, answer.text)
  }

  /// Expects its end with a status.
  func expectEnd(
    _ status: Int32, saying words: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(
      login.waitForExit(timeoutSeconds: 15) == .status(status), "\(said)",
      sourceLocation: sourceLocation)
    if let words { #expect(said.contains(words), "\(said)", sourceLocation: sourceLocation) }
  }
}

extension Desk {
  /// What the browser of a person who allows it is sent to, without going there.
  func callback(
    of address: String, user: String? = nil, decision: DeploymentSimulator.Decision = .allow
  ) throws -> String {
    let visit = try deployment.browse(
      authorizationURL: address, decision: decision, user: user, followingCallback: false)
    return try #require(visit.callback)
  }

  /// Redirect URIs of authorization requests that were allowed or denied, one for each tab.
  var tabs: Int { deployment.requests.count(method: "GET", path: "/oauth2/authorize") }

  /// How many clients were registered.
  var registrations: Int { deployment.requests.count(method: "POST", path: "/oauth2/register") }
}
