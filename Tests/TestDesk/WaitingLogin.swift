package import DeploymentSimulator
import Foundation
package import Testing

/// A login without a terminal and without a browser, that waits for the callback.
package struct WaitingLogin {
  package let process: ChildProcess
  private let log: String

  /// Starts `login --no-browser`, for the desk's deployment or another.
  ///
  /// Without that flag it opens no browser either, unless the environment names one or a display.
  package init(
    _ desk: Desk, _ arguments: [String] = [], to url: String? = nil, noBrowser: Bool = true,
    environment: [String: String] = [:]
  ) throws {
    log = "\(desk.directory)/login-\(UUID().uuidString)"
    process = try desk.start(
      ["login", url ?? desk.url] + (noBrowser ? ["--no-browser"] : []) + arguments,
      environment: environment, log: log)
  }

  /// What it has written so far.
  package var output: String {
    String(decoding: FileManager.default.contents(atPath: log) ?? Data(), as: UTF8.self)
  }

  /// The address that it asks to open, once it waits.
  package func address(sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
    waitFor("the address", sourceLocation: sourceLocation) {
      output.contains("Waiting ") || process.exit != nil
    }
    let line = output.split(separator: "\n").first { $0.hasPrefix("  http") }
    return String(try #require(line, "\(output)", sourceLocation: sourceLocation).dropFirst(2))
  }

  /// A parameter of the authorization request.
  package func parameter(
    _ name: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let address = try address(sourceLocation: sourceLocation)
    let items = URLComponents(string: address)?.queryItems
    return try #require(
      items?.first { $0.name == name }?.value, sourceLocation: sourceLocation)
  }

  /// Opens a page of its loopback receiver.
  package func open(_ query: String) throws -> (status: Int, page: String) {
    let response = try Exchange.send("GET", "\(parameter("redirect_uri"))?\(query)")
    return (response.status, response.text)
  }

  /// Expects its end with a status.
  package func expectEnd(
    _ status: Int32, saying words: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(
      process.waitForExit(timeoutSeconds: 60) == .status(status), "\(output)",
      sourceLocation: sourceLocation)
    if let words {
      #expect(output.contains(words), "\(output)", sourceLocation: sourceLocation)
    }
  }
}

extension DeploymentSimulator {
  /// The callback that the browser of a user who decides so is sent to, without going there.
  package func callback(
    of address: String, user: String? = nil, decision: Decision = .allow
  ) throws -> String {
    let visit = try browse(
      authorizationURL: address, decision: decision, user: user, followingCallback: false)
    return try #require(visit.callback)
  }
}
