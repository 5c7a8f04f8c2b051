import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// A person's desk: a desktop session with its keyring, a deployment, and the program as built.
///
/// Every token, code and secret of the deployment holds one word; the desk's end looks for it in
/// everything that was said and in every file that was left.
final class Desk: @unchecked Sendable {
  let session: PrivateDesktop
  let deployment: DeploymentSimulator
  let canary = "cnry" + String((0..<8).compactMap { _ in Desk.letters.randomElement() })
  let program: String
  private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ")

  var url: String { deployment.url }

  private init(_ settings: DeploymentSimulator.Settings) throws {
    var settings = settings
    settings.canary = canary
    deployment = try DeploymentSimulator(settings)
    session = try PrivateDesktop(.unlocked)
    program = try Products.executable("coder-cred")
  }

  /// Sets a desk up, works at it, looks for secrets that went astray, and clears it.
  static func with(
    _ settings: DeploymentSimulator.Settings = .init(),
    sourceLocation: SourceLocation = #_sourceLocation, _ work: (Desk) throws -> Void
  ) throws {
    let desk = try Desk(settings)
    defer {
      desk.deployment.stop()
      desk.session.tearDown()
    }
    try work(desk)
    desk.search(sourceLocation)
  }

  /// Runs the program to its end, with standard input, output and error in pipes.
  @discardableResult
  func run(
    _ arguments: [String], input: String = "", environment: [String: String] = [:],
    directory: String? = nil, timeout: Double = 30,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> CommandResult {
    let result = try session.run(
      program, arguments, input: Array(input.utf8), environment: environment,
      directory: directory, timeoutSeconds: timeout)
    #expect(!result.timedOut, "\(arguments) did not end", sourceLocation: sourceLocation)
    let mayAnswer = ["token", "get", "header"].contains(arguments.first)
    #expect(
      !result.stderr.contains(canary) && (mayAnswer || !result.stdout.contains(canary)),
      "\(arguments) told a secret", sourceLocation: sourceLocation)
    return result
  }

  /// `login` of the deployment, with a browser that does as its flags say.
  @discardableResult
  func login(
    _ arguments: String..., browser flags: [String] = [], input: String = "",
    environment: [String: String] = [:], status: Int32 = 0,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> CommandResult {
    let result = try run(
      ["login", url] + arguments, input: input,
      environment: browser(flags).merging(environment) { $1 }, sourceLocation: sourceLocation)
    #expect(result.status == status, "\(result.stderr)", sourceLocation: sourceLocation)
    #expect(result.output.isEmpty, sourceLocation: sourceLocation)
    return result
  }

  /// `BROWSER`: a script of one line, since the variable holds no quoted words.
  func browser(_ flags: [String] = []) throws -> [String: String] {
    let simulator = try Products.executable("deployment-simulator")
    let words = flags.joined(separator: " ")
    return try script(
      "browser" + flags.joined().filter(\.isLetter),
      "exec '\(simulator)' browse \(words) \"$1\"")
  }

  /// A shell script as `BROWSER`.
  func script(_ name: String, _ text: String) throws -> [String: String] {
    let path = "\(session.directory)/\(name)"
    // Not written by ourselves: a child just being started by another test would still have it open,
    // and what is open for writing cannot be executed (ETXTBSY).
    let written = try session.run(
      "/bin/sh", ["-c", "cat >\"$1\" && chmod 755 \"$1\"", "sh", path],
      input: Array("#!/bin/sh\n\(text)\n".utf8))
    try #require(written.status == 0)
    return ["BROWSER": path]
  }

  /// Writes the configuration file.
  func configure(_ text: String) throws {
    let directory = "\(session.directory)/config/coder-cred"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    try Data("[coder-cred]\n\(text)\n".utf8).write(to: URL(fileURLWithPath: "\(directory)/config"))
  }

  /// The token that tools would get, which must be alive.
  @discardableResult
  func liveToken(
    _ flags: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let result = try run(["token", url] + flags, sourceLocation: sourceLocation)
    #expect(result.status == 0, "\(result.stderr)", sourceLocation: sourceLocation)
    let token = result.stdout.trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(deployment.isValid(accessToken: token), sourceLocation: sourceLocation)
    return token
  }

  private func search(_ sourceLocation: SourceLocation) {
    let names = FileManager.default.enumerator(atPath: session.directory)?.allObjects ?? []
    for case let name as String in names where !name.hasPrefix("data/keyrings/") {
      let path = "\(session.directory)/\(name)"
      let attributes = try? FileManager.default.attributesOfItem(atPath: path)
      guard attributes?[.type] as? FileAttributeType == .typeRegular else { continue }
      let content = FileManager.default.contents(atPath: path) ?? Data()
      #expect(
        content.range(of: Data(canary.utf8)) == nil, "\(name) holds a secret",
        sourceLocation: sourceLocation)
    }
    for request in deployment.requests where request.query.values.contains(where: hasCanary) {
      Issue.record("a query held a secret: \(request)", sourceLocation: sourceLocation)
    }
  }

  private func hasCanary(_ text: String) -> Bool { text.contains(canary) }
}

extension CommandResult {
  /// The line of `coder-cred: error:` or `hint:`, without that beginning.
  func line(_ kind: String) -> String? {
    stderr.split(separator: "\n").first { $0.hasPrefix("coder-cred: \(kind): ") }
      .map { String($0.dropFirst("coder-cred: \(kind): ".count)) }
  }
}

/// Waits for something to come true.
func wait(
  seconds: Double = 15, for what: String, sourceLocation: SourceLocation = #_sourceLocation,
  until condition: () throws -> Bool
) rethrows {
  let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
  while try !condition() {
    guard ContinuousClock.now < deadline else {
      Issue.record("waited in vain for \(what)", sourceLocation: sourceLocation)
      return
    }
    usleep(10_000)
  }
}
