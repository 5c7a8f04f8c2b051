import Foundation
import SecretService
import Secrets
import TestDesk
import Testing

/// The attributes of one session, as the engine writes them.
func sessionAttributes(_ account: String = "alice") -> Attributes {
  [
    "application": "coder-cred", "kind": "session", "deployment": "https://dev.coder.com",
    "account": account,
  ]
}

/// What every item of ours has.
let ours: Attributes = ["application": "coder-cred"]

extension PrivateDesktop {
  /// This desktop's service, for this process: GLib has one session bus in a process, so that every
  /// test of a service runs in a process of its own.
  func service(prompts: PromptPolicy = .never, timeoutSeconds: Int = 10) throws -> SecretService {
    enter()
    return try SecretService(prompts: prompts, timeoutSeconds: timeoutSeconds)
  }

  /// Makes the desktop this process's own, as far as the bus is concerned.
  func enter() {
    setenv("DBUS_SESSION_BUS_ADDRESS", busAddress, 1)
    setenv("XDG_RUNTIME_DIR", "\(directory)/run", 1)
  }

  /// Stores as another application would, with `secret-tool`.
  func otherApplicationStores(
    _ secret: [UInt8], label: String = "other", _ attributes: [String]
  ) throws {
    let result = try run("secret-tool", ["store", "--label=\(label)"] + attributes, input: secret)
    #expect(result.status == 0, "\(result.stderr)")
  }

  /// What `secret-tool search --all` shows: on 0.20.5 attributes go to standard error.
  func secretTool(_ attributes: String...) throws -> String {
    let result = try run("secret-tool", ["search", "--all"] + attributes)
    return result.stdout + result.stderr
  }
}

/// The error a piece of work ends with, or `nil`; any other kind of error is a failure of the test.
func failure<R>(_ body: () throws -> R) -> SecretServiceError? {
  do {
    _ = try body()
  } catch let error as SecretServiceError {
    return error
  } catch {
    Issue.record(error)
  }
  return nil
}

/// Whether it is `malformed`, for whatever reason.
func isMalformed(_ error: SecretServiceError?) -> Bool {
  if case .malformed = error { true } else { false }
}

/// Whether it is `locked`, whatever the collection.
func isLocked(_ error: SecretServiceError?) -> Bool {
  if case .locked = error { true } else { false }
}

/// Whether the service, or the bus with it, went away or was never there.
func isGone(_ error: SecretServiceError?) -> Bool {
  switch error {
  case .busUnreachable, .noService, .serviceGone: true
  default: false
  }
}

/// How long something takes, in seconds.
func seconds(_ body: () throws -> Void) rethrows -> Double {
  let start = ContinuousClock.now
  try body()
  return start.duration(to: .now) / .seconds(1)
}

/// A new directory with a short path, for the caller to remove.
func temporaryDirectory() throws -> String {
  var template = Array(("/tmp/cc-" + String(repeating: "X", count: 6)).utf8CString)
  try #require(mkdtemp(&template) != nil)
  return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
}
