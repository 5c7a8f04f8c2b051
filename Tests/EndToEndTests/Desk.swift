import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Everything a person has before them: a desktop session with its keyring, a browser that does as
/// it is told, a Coder deployment, and the program as it was built.
///
/// Every token, code and secret of the deployment, and every password that ``plant(_:)`` makes,
/// holds one canary. Each run checks that it goes nowhere but where the answer is expected, and
/// the desk's end looks for it everywhere else.
final class Desk: Sendable {
  let session: PrivateDesktop
  let deployment: DeploymentSimulator
  let canary: Canary
  let program: String
  private let traces: Bool

  /// Where the deployment is.
  var url: String { deployment.url }

  private init(
    _ kind: SecretServiceProvider, _ settings: DeploymentSimulator.Settings, traces: Bool
  ) throws {
    canary = Canary()
    var settings = settings
    settings.canary = canary.word
    deployment = try DeploymentSimulator(settings)
    session = try PrivateDesktop(kind)
    program = try Products.executable("coder-cred")
    self.traces = traces
  }

  /// Sets a desk up, works at it, looks for the canary in whatever was left on it, and clears it.
  ///
  /// With `traces`, the program tells on standard error what it does.
  static func with(
    _ kind: SecretServiceProvider = .unlocked,
    _ settings: DeploymentSimulator.Settings = .init(), traces: Bool = false,
    sourceLocation: SourceLocation = #_sourceLocation, _ work: (Desk) throws -> Void
  ) throws {
    let desk = try Desk(kind, settings, traces: traces)
    defer {
      desk.deployment.stop()
      desk.session.tearDown()
    }
    try work(desk)
    desk.search(sourceLocation)
  }

  /// A password that leaves a trace wherever it goes.
  func plant(_ rest: String = "") -> String { "pw-\(canary.word)\(rest)" }

  /// Runs the program to its end, which must be by itself and with a documented status.
  ///
  /// Only with `mayAnswer` may standard output hold a secret.
  @discardableResult
  func run(
    _ arguments: [String], input: String = "", environment: [String: String] = [:],
    mayAnswer: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> CommandResult {
    try run(
      program, arguments, input: Array(input.utf8), environment: environment,
      mayAnswer: mayAnswer, sourceLocation: sourceLocation)
  }

  /// Runs any program of the session under the same watch.
  @discardableResult
  func run(
    _ executable: String, _ arguments: [String], input: [UInt8],
    environment additions: [String: String] = [:], mayAnswer: Bool = false,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> CommandResult {
    let result = try session.run(
      executable, arguments, input: input, environment: environment(with: additions),
      timeoutSeconds: 25)
    let what = "\(executable) \(arguments)"
    #expect(!result.timedOut, "\(what) did not end", sourceLocation: sourceLocation)
    #expect(result.signal == nil, "\(what) ended by a signal", sourceLocation: sourceLocation)
    #expect(
      Self.documented.contains(result.status) || executable != program,
      "\(what) ended with \(result.status)", sourceLocation: sourceLocation)
    #expect(
      !canary.sings(in: result.errors), "\(what) tells a secret on standard error",
      sourceLocation: sourceLocation)
    #expect(
      mayAnswer || !canary.sings(in: result.output), "\(what) tells a secret on standard output",
      sourceLocation: sourceLocation)
    return result
  }

  /// Starts the program and leaves it running; what it says goes to `log`.
  func start(
    _ arguments: [String], environment additions: [String: String] = [:], log: String
  ) throws -> ChildProcess {
    try session.start(program, arguments, environment: environment(with: additions), log: log)
  }

  /// README, exit status.
  private static let documented: Set<Int32> = [0, 1, 64, 65, 69, 70, 75, 76, 77]

  private func environment(with additions: [String: String]) -> [String: String] {
    var environment = traces ? ["CODER_CRED_TRACE": "1"] : [:]
    environment["GIT_CONFIG_NOSYSTEM"] = "1"
    environment["GIT_TERMINAL_PROMPT"] = "0"
    environment["BROWSER"] = "\(session.directory)/no-browser"
    return environment.merging(additions) { $1 }
  }

  private func search(_ sourceLocation: SourceLocation) {
    for file in canary.files(below: session.directory, except: session.keyrings) {
      Issue.record("\(file) holds a secret", sourceLocation: sourceLocation)
    }
    for request in deployment.requests
    where request.query.values.contains(where: { canary.sings(in: Array($0.utf8)) }) {
      Issue.record("a query held a secret: \(request)", sourceLocation: sourceLocation)
    }
  }
}

extension CommandResult {
  /// What it complained about, line by line, without the trace.
  var complaints: [String] {
    stderr.split(separator: "\n").map(String.init)
      .filter { !$0.hasPrefix("coder-cred: trace: ") }
  }

  /// The lines it answered with.
  var answer: [String] { stdout.split(separator: "\n").map(String.init) }

  /// The value of a `key=value` line of the answer.
  subscript(_ key: String) -> String? {
    answer.first { $0.hasPrefix(key + "=") }.map { String($0.dropFirst(key.count + 1)) }
  }
}
