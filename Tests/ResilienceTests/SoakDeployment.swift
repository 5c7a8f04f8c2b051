import DeploymentSimulator
import Synchronization
import TestDesk
import Testing

/// A deployment of the soak, and what is known of the session there.
final class SoakDeployment: Sendable {
  /// What is known while nothing changes it.
  private struct Knowledge {
    /// Nil after a change that failed: either state is right then.
    var hasSession: Bool?
    var isChanging = false
    /// Counts changes, so that a look that overlaps one is noticed.
    var changes = 0
  }

  let deployment: DeploymentSimulator
  private let knowledge = Mutex(Knowledge())

  init(_ deployment: DeploymentSimulator) { self.deployment = deployment }

  var url: String { deployment.url }

  /// Whether there is a session; nil when that cannot be known.
  var hasSession: Bool? { knowledge.withLock { $0.isChanging ? nil : $0.hasSession } }

  /// What two looks have in common if there was a session all the time between them.
  var certainty: Int? {
    knowledge.withLock { $0.isChanging || $0.hasSession != true ? nil : $0.changes }
  }

  /// Signs in or out, unless somebody else does; `change` returns whether there is a session now.
  func change(_ change: () throws -> Bool?) rethrows {
    let isOurs = knowledge.withLock { knowledge in
      guard !knowledge.isChanging else { return false }
      knowledge.isChanging = true
      knowledge.changes += 1
      return true
    }
    guard isOurs else { return }
    var result: Bool?
    defer {
      knowledge.withLock {
        $0.hasSession = result
        $0.isChanging = false
      }
    }
    result = try change()
  }

  /// The session was found to be lost: only a sign-in makes it certain again.
  func forget() {
    knowledge.withLock {
      $0.hasSession = nil
      $0.changes += 1
    }
  }
}

/// When the soak's keyring was away.
final class KeyringOutages: Sendable {
  private let state = Mutex((count: 0, isAway: false))

  var count: Int { state.withLock { $0.count } }

  /// Counts the keyring as away while `work` takes it away and brings it back.
  func during(_ work: () throws -> Void) rethrows {
    state.withLock { $0 = ($0.count + 1, true) }
    try work()
    state.withLock { $0.isAway = false }
  }

  /// Runs some work, and tells whether the keyring was away at any time of it.
  func watched<Value>(_ work: () throws -> Value) rethrows -> (value: Value, wasDisturbed: Bool) {
    let before = state.withLock { $0 }
    let value = try work()
    return (value, before.isAway || count != before.count)
  }
}

/// What the soak has done.
final class SoakTally: Sendable {
  private let counts = Mutex<[String: [Int32: Int]]>([:])
  private let lost = Mutex(0)

  var losses: Int { lost.withLock { $0 } }

  func note(_ operation: String, _ status: Int32) {
    counts.withLock { $0[operation, default: [:]][status, default: 0] += 1 }
  }

  func noteLoss(_ what: String) {
    lost.withLock { $0 += 1 }
    Issue.record("lost: \(what)")
  }

  /// One line for each operation: how often, and how often with each exit status.
  var report: String {
    let counts = counts.withLock { $0 }
    let total = counts.values.reduce(0) { $0 + $1.values.reduce(0, +) }
    let lines = counts.sorted { $0.key < $1.key }.map { name, statuses in
      let parts = statuses.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }
      return "  \(name): \(statuses.values.reduce(0, +)) (\(parts.joined(separator: ", ")))"
    }
    return (["\(total) operations, \(losses) losses"] + lines).joined(separator: "\n")
  }
}
