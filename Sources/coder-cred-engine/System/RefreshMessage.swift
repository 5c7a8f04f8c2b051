import Credentials
import Secrets
import Sessions

/// What the process that asks for a refresh and the one that does it tell each other, over pipes that
/// nobody else has: lines of the form that payloads have in the keyring.
enum RefreshMessage {
  /// The longest message, in bytes.
  static let maximumBytes = 2 * (Payload.maximumBytes + 1)

  /// The first line of a request; the session's payload follows.
  static func request(
    _ reason: RefreshReason, for session: StoredSession
  ) throws(MalformedInput) -> Secret {
    var line = Payload()
    line[text: "deployment"] = session.deployment.url
    line[text: "account"] = session.account
    switch reason {
    case .age(let minimumSeconds):
      line[text: "reason"] = "age"
      line[number: "minimum"] = minimumSeconds
    case .rejection: line[text: "reason"] = "rejection"
    case .schedule: line[text: "reason"] = "schedule"
    case .command: line[text: "reason"] = "command"
    }
    return try line.encoded()
  }

  /// Reads a request; nil for what is none.
  static func request(_ bytes: [UInt8]) -> (session: StoredSession, reason: RefreshReason)? {
    guard let (line, session) = lines(bytes), let session else { return nil }
    let reason: RefreshReason
    switch line[text: "reason"] {
    case "age": reason = .age(minimumSeconds: line[number: "minimum"] ?? 0)
    case "rejection": reason = .rejection
    case "schedule": reason = .schedule
    case "command": reason = .command
    default: return nil
    }
    return (session, reason)
  }

  /// The lines of an outcome.
  static func outcome(
    _ result: Result<StoredSession, Failure>, warnings: [String]
  ) throws(MalformedInput) -> [Secret] {
    var line = Payload()
    for (index, warning) in warnings.enumerated() { line[text: "warning_\(index)"] = warning }
    switch result {
    case .success(let session):
      line[text: "deployment"] = session.deployment.url
      line[text: "account"] = session.account
      return [try line.encoded(), try session.payload()]
    case .failure(let failure):
      line[text: "remedy"] = failure.remedy.rawValue
      line[text: "message"] = failure.message
      line[text: "hint"] = failure.hint
      line[text: "deployment"] = failure.deployment?.url
      line[text: "account"] = failure.account
      return [try line.encoded()]
    }
  }

  /// Reads an outcome; nil for what is none.
  static func outcome(_ bytes: [UInt8]) -> DetachedRefresh.Outcome? {
    guard let (line, session) = lines(bytes) else { return nil }
    var warnings: [String] = []
    while let warning = line[text: "warning_\(warnings.count)"] { warnings.append(warning) }
    if let session { return .session(session, warnings: warnings) }
    guard let remedy = line[text: "remedy"].flatMap(Failure.Remedy.init(rawValue:)),
      let message = line[text: "message"]
    else { return nil }
    var failure = Failure(remedy, message, hint: line[text: "hint"])
    failure.deployment = line[text: "deployment"].flatMap { try? Deployment(url: $0) }
    failure.account = line[text: "account"]
    return .failure(failure, warnings: warnings)
  }

  /// The first line of a message, and the session whose payload follows it.
  private static func lines(_ bytes: [UInt8]) -> (Payload, StoredSession?)? {
    let lines = bytes.split(separator: UInt8(ascii: "\n")).map {
      Secret(String(decoding: $0, as: UTF8.self))
    }
    guard let first = lines.first, let line = try? Payload(parsing: first) else { return nil }
    guard lines.count > 1 else { return (line, nil) }
    guard let deployment = line[text: "deployment"].flatMap({ try? Deployment(url: $0) }),
      let session = try? StoredSession(
        payload: lines[1], deployment: deployment, account: line[text: "account"] ?? "")
    else { return nil }
    return (line, session)
  }
}
