import Foundation
import Glibc
package import Testing

/// What a program that has ended left behind.
package struct CommandResult: Sendable {
  /// Everything it wrote, as bytes.
  package let output: [UInt8]
  /// Everything it complained about, as bytes.
  package let errors: [UInt8]
  /// The exit status; 128 and the signal's number when a signal ended it, as in a shell.
  package let status: Int32
  /// The signal that ended it, if one did.
  package let signal: Int32?
  /// Whether it was ended because its time was up.
  package let timedOut: Bool

  /// Standard output as text, with what is not UTF-8 replaced.
  package var stdout: String { String(decoding: output, as: UTF8.self) }
  /// Standard error as text, with what is not UTF-8 replaced.
  package var stderr: String { String(decoding: errors, as: UTF8.self) }
}

/// Shown where an expectation fails: not standard output, which may be a credential.
extension CommandResult: CustomTestStringConvertible {
  package var testDescription: String {
    let end = timedOut ? "timed out" : signal.map { "signal \($0)" } ?? "status \(status)"
    return "\(end), \(output.count) bytes of output, standard error: \(stderr)"
  }
}

extension CommandResult {
  /// The lines of standard output.
  package var lines: [String] { stdout.split(separator: "\n").map(String.init) }

  /// The lines of standard error, without the trace, and without what is said to a person while the
  /// keyring takes more than a moment over a change that it asks about, as it does on a busy machine.
  package var messages: [String] {
    stderr.split(separator: "\n").map(String.init).filter {
      !$0.hasPrefix("coder-cred: trace: ")
        && !$0.hasPrefix("Waiting for you to confirm the change of ")
    }
  }

  /// The first line `coder-cred: KIND: …` of standard error (`error`, `hint`, `warning`), without
  /// that beginning.
  package func message(_ kind: String) -> String? {
    messages.first { $0.hasPrefix("coder-cred: \(kind): ") }
      .map { String($0.dropFirst("coder-cred: \(kind): ".count)) }
  }

  /// The value of the first line `key=value` of standard output.
  package subscript(_ key: String) -> String? {
    lines.first { $0.hasPrefix(key + "=") }.map { String($0.dropFirst(key.count + 1)) }
  }

  /// Standard output as JSON.
  package func json() throws -> Any { try JSONSerialization.jsonObject(with: Data(output)) }

  /// Standard output as a JSON object; records an issue when it is something else.
  package func object(sourceLocation: SourceLocation = #_sourceLocation) throws -> [String: Any] {
    try #require(try json() as? [String: Any], sourceLocation: sourceLocation)
  }

  /// Standard output as a JSON array of objects; records an issue when it is something else.
  package func rows(sourceLocation: SourceLocation = #_sourceLocation) throws -> [[String: Any]] {
    try #require(try json() as? [[String: Any]], sourceLocation: sourceLocation)
  }
}

extension ChildProcess {
  /// Runs a program to its end, feeding it `input` and collecting what it writes.
  ///
  /// The executable is a path, or a name to look up in our own `PATH`. The environment is all the
  /// program gets; nothing is inherited. It runs in `directory`, or where we do. After `timeoutSeconds`
  /// its process group is killed and ``CommandResult/timedOut`` is set.
  ///
  /// Throws ``CannotStart``.
  package static func run(
    _ executable: String, _ arguments: [String] = [],
    environment: [String: String] = plainEnvironment, input: [UInt8] = [],
    directory: String? = nil, timeoutSeconds: Double = 60
  ) throws -> CommandResult {
    let (stdin, stdout, stderr) = (
      try Descriptor.pipe(), try Descriptor.pipe(), try Descriptor.pipe()
    )
    let child = try ChildProcess(
      executable, arguments, environment: environment, directory: directory,
      input: .descriptor(stdin.read.number), output: .descriptor(stdout.write.number),
      error: .descriptor(stderr.write.number))
    for descriptor in [stdin.read, stdout.write, stderr.write] { descriptor.close() }

    var exchange = Exchange(
      input: input, stdin: stdin.write, stdout: stdout.read, stderr: stderr.read, child: child)
    let deadline = Deadline(seconds: timeoutSeconds)
    let isDone = exchange.carryOut(until: deadline)
    if !isDone {
      child.killGroup()
      child.waitForExit()
      exchange.drain()
    }
    let (status, signal): (Int32, Int32?) =
      switch child.exit {
      case .status(let status): (status, nil)
      case .signal(let signal): (128 + signal, signal)
      case nil: (-1, nil)
      }
    return CommandResult(
      output: exchange.output, errors: exchange.errors, status: status, signal: signal,
      timedOut: !isDone)
  }

  /// The environment of programs that need none: `PATH` and the locale.
  package static let plainEnvironment = ["PATH": PrivateDesktop.path, "LC_ALL": "C.UTF-8"]

  /// What the program has written to its log so far.
  package var logText: String {
    let content = log.flatMap { FileManager.default.contents(atPath: $0) }
    return String(decoding: content ?? Data(), as: UTF8.self)
  }

  /// Starts a program in the background; its output is appended to a file, or thrown away.
  ///
  /// End it with ``end(within:)``: what is never ended outlives the tests. Prefer
  /// `PrivateDesktop.start`, which sees to it. The descriptors `inheriting` are 3, 4, … in the child.
  package static func start(
    _ executable: String, _ arguments: [String] = [],
    environment: [String: String] = plainEnvironment, input: [UInt8] = [],
    directory: String? = nil, log: String? = nil, inheriting: [Int32] = []
  ) throws -> ChildProcess {
    precondition(input.count <= 4096, "more may not fit into a pipe that nobody reads yet")
    let stdin = try Descriptor.pipe()
    _ = input.withUnsafeBytes { write(stdin.write.number, $0.baseAddress, $0.count) }
    stdin.write.close()
    let stream = log.map { Stream.appendTo(path: $0) } ?? .null
    return try ChildProcess(
      executable, arguments, environment: environment, directory: directory,
      input: .descriptor(stdin.read.number), output: stream, error: stream, inheriting: inheriting,
      log: log)
  }
}

/// Both directions at once, so that neither side waits for the other with a full pipe.
private struct Exchange {
  var input: [UInt8]
  let stdin: Descriptor
  let stdout: Descriptor
  let stderr: Descriptor
  let child: ChildProcess

  var sent = 0
  var output: [UInt8] = []
  var errors: [UInt8] = []
  var isOutputOpen = true
  var areErrorsOpen = true

  init(
    input: [UInt8], stdin: Descriptor, stdout: Descriptor, stderr: Descriptor, child: ChildProcess
  ) {
    (self.input, self.stdin, self.stdout, self.stderr) = (input, stdin, stdout, stderr)
    self.child = child
    for descriptor in [stdin, stdout, stderr] { descriptor.setNonBlocking() }
    if input.isEmpty { stdin.close() }
  }

  /// Until the child has ended; what a grandchild still holds open then does not keep us.
  mutating func carryOut(until deadline: Deadline) -> Bool {
    while child.exit == nil {
      var entries = [
        pollfd(fd: child.ended.number, events: Int16(POLLIN), revents: 0),
        pollfd(fd: isOutputOpen ? stdout.number : -1, events: Int16(POLLIN), revents: 0),
        pollfd(fd: areErrorsOpen ? stderr.number : -1, events: Int16(POLLIN), revents: 0),
        pollfd(fd: stdin.number, events: Int16(POLLOUT), revents: 0),
      ]
      let ready = poll(&entries, 4, deadline.milliseconds)
      if ready <= 0 && deadline.hasPassed { return false }
      guard ready > 0 else { continue }
      drain()
      if entries[3].revents != 0 { feed() }
    }
    drain()
    return true
  }

  mutating func drain() {
    if isOutputOpen { isOutputOpen = Self.read(stdout, into: &output) }
    if areErrorsOpen { areErrorsOpen = Self.read(stderr, into: &errors) }
  }

  private mutating func feed() {
    let count = input[sent...].withUnsafeBytes { write(stdin.number, $0.baseAddress, $0.count) }
    if count > 0 { sent += count }
    let isGone = count < 0 && errno != EAGAIN && errno != EINTR
    if isGone || sent == input.count { stdin.close() }
  }

  /// Reads what is there; false at the end.
  private static func read(_ descriptor: Descriptor, into bytes: inout [UInt8]) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = Glibc.read(descriptor.number, &buffer, buffer.count)
      if count > 0 {
        bytes.append(contentsOf: buffer[..<count])
      } else if count == 0 {
        return false
      } else if errno != EINTR {
        return errno == EAGAIN
      }
    }
  }
}
