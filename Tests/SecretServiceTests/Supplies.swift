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
  /// A connection of its own to this session's service.
  func service(timeoutSeconds: Int = 10) throws -> SecretService {
    try SecretService(busAddress: busAddress, timeoutSeconds: timeoutSeconds)
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

/// Whether it is `unavailable`, for whatever reason.
func isUnavailable(_ error: SecretServiceError?) -> Bool {
  if case .unavailable = error { true } else { false }
}

/// How long something takes, in seconds.
func seconds(_ body: () throws -> Void) rethrows -> Double {
  let start = ContinuousClock.now
  try body()
  return start.duration(to: .now) / .seconds(1)
}
