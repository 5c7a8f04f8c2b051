import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// One person's session with a deployment, and everything that happens to it: the built program, a
/// private keyring and a deployment that does as it is told.
final class Life: Sendable {
  let session: PrivateDesktop
  let deployment: DeploymentSimulator
  let program: String

  var url: String { deployment.url }

  init(_ settings: DeploymentSimulator.Settings = .init()) throws {
    deployment = try DeploymentSimulator(settings)
    session = try PrivateDesktop(.unlocked)
    program = try Products.executable("coder-cred")
  }

  /// Lives a signed-in life, and clears it away.
  static func with(
    _ settings: DeploymentSimulator.Settings = .init(), _ body: (Life) throws -> Void
  ) throws {
    let life = try Life(settings)
    defer {
      life.deployment.releaseHeld()
      life.deployment.stop()
      life.session.tearDown()
    }
    try life.signIn()
    life.deployment.clearLog()
    try body(life)
  }

  /// Runs the program to its end.
  @discardableResult
  func run(
    _ arguments: String..., input: String = "", environment: [String: String] = [:]
  ) throws -> CommandResult {
    let result = try session.run(
      program, arguments, input: Array(input.utf8), environment: environment, timeoutSeconds: 60)
    #expect(!result.timedOut, "\(arguments) did not end")
    return result
  }

  func signIn(_ user: String = "alice", to other: DeploymentSimulator? = nil) throws {
    let simulator = try Products.executable("deployment-simulator")
    let result = try run(
      "login", (other ?? deployment).url,
      environment: ["BROWSER": "\(simulator) browse --user \(user) %s"])
    #expect(result.status == 0, "\(result.stderr)")
  }

  /// Gives the session a token that every `get` wants to replace, though it still lives.
  func age(to seconds: Int = 30) throws {
    deployment.change { $0.accessTokenLifetime = seconds }
    let result = try run("refresh", url)
    #expect(result.status == 0, "\(result.stderr)")
    deployment.change { $0.accessTokenLifetime = 86_400 }
    deployment.clearLog()
  }

  /// Gives the session a token that has died.
  func expire() throws {
    try age(to: 1)
    usleep(1_100_000)
  }

  /// The refreshes that reached the deployment.
  var refreshes: [DeploymentSimulator.LoggedRequest] {
    deployment.requests.tokenRequests(grant: "refresh_token")
  }

  /// Asks for the token, and expects one that works.
  @discardableResult
  func expectToken(
    _ flags: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let result = try session.run(program, ["token", url] + flags, timeoutSeconds: 60)
    #expect(result.status == 0, "\(result.stderr)", sourceLocation: sourceLocation)
    let token = result.stdout.trimmingCharacters(in: ["\n"])
    #expect(
      deployment.isValid(accessToken: token), "the token is dead", sourceLocation: sourceLocation)
    return token
  }

  /// The files of the runtime directory with this ending.
  func runtimeFiles(_ ending: String) throws -> [String] {
    let directory = "\(session.directory)/run/coder-cred"
    return try FileManager.default.contentsOfDirectory(atPath: directory)
      .filter { $0.hasSuffix(ending) }.map { "\(directory)/\($0)" }
  }

  /// Forgets the failures so far, as time does.
  func forgetFailures() throws {
    for file in try runtimeFiles(".history") { try FileManager.default.removeItem(atPath: file) }
  }
}

/// One after the other: these tests load the machine on purpose, and measure.
@Suite(.serialized) enum ResilienceTests {}

/// Whether to count as long as the product promises, which takes many minutes.
let isFull = ProcessInfo.processInfo.environment["CODER_CRED_FULL"] == "1"

/// A number of rounds: few for every day, all of them on demand.
func howOften(_ few: Int, full: Int) -> Int { isFull ? full : few }

/// How long something takes, in seconds.
func seconds(_ body: () throws -> Void) rethrows -> Double {
  let start = ContinuousClock.now
  try body()
  return start.duration(to: .now) / .seconds(1)
}

/// What several threads hand over.
final class Gathered<Value: Sendable>: @unchecked Sendable {
  private let lock = NSLock()
  private var values: [Value] = []

  func add(_ value: Value) { lock.withLock { values.append(value) } }
  var all: [Value] { lock.withLock { values } }
}

/// Says a figure, for whoever reads the log.
func tell(_ line: String) {
  FileHandle.standardError.write(Data("ResilienceTests: \(line)\n".utf8))
}
