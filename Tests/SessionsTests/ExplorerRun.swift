import Credentials
import Dispatch
import Secrets
import SessionFakes

@testable import Sessions

/// One process of a run, and what it did and saw.
final class ExploredProcess {
  /// How it ended.
  enum Outcome {
    /// It output this session.
    case output(StoredSession)
    /// It succeeded.
    case done
    /// It told the person why it did not succeed.
    case failed(any Error)
  }

  let index: Int
  let kind: ProcessKind
  /// Where its lock and its history are.
  let domain: Int
  /// Whether it has neither crashed nor been ended by us; a process that has does nothing more.
  var isRunning = true
  var outcome: Outcome?
  /// Until when it waits, as an uptime.
  var wakesAt: Int64?
  /// The lock that it waits for.
  var awaited: FakeLock?
  /// Where it yields.
  var pending = Seam.start
  var granted: Fault?
  /// A digest of everything it has seen: what it does next is a function of that.
  var observations = Digest()
  var sleeps = 0
  /// How often it has asked for the uptime after it was stopped.
  var looksAtClockSinceStop: Int64 = 0
  var warnings: [SessionWarning] = []
  /// The access tokens in what it read last, and whether they were alive then.
  var lastRead: [String: Bool] = [:]
  /// All access tokens that it read.
  var everRead: Set<String> = []
  /// Whether it waited for the lock in vain, or may have.
  var hasFoundLocked = false
  /// Refresh tokens issued to it that no save has brought into the keyring.
  var unsaved: Set<String> = []
  /// Whether it has ended at the server what it could not save.
  var hasGivenUp = false
  /// The access tokens issued to it.
  var own: Set<String> = []
  var rotations = 0

  init(index: Int, kind: ProcessKind, domain: Int) {
    self.index = index
    self.kind = kind
    self.domain = domain
  }

  /// Notes what a seam has brought.
  func see(_ value: Int) {
    observations.add(value)
  }

  /// Whether something was issued to it that the keyring never got.
  var hasLost: Bool { !unsaved.isEmpty || hasGivenUp }

  var hasEnded: Bool { outcome != nil }

  /// Whether a person was told that something went wrong.
  var hasSpoken: Bool {
    if case .failed = outcome { true } else { !warnings.isEmpty }
  }
}

/// One run of some processes by one schedule.
final class Run {
  /// The most yields of a run, and the most simulated seconds.
  static let stepLimit = 500
  static let secondsLimit: Int64 = 300

  let scenario: Scenario
  var world: World
  private(set) var processes: [ExploredProcess] = []
  private(set) var violations: [String] = []
  private(set) var events: [String] = []
  private(set) var steps = 0
  /// Every state of keyring and server seen.
  private(set) var states: Set<Int> = []
  private let chooser: any Chooser
  private let turns: Turns
  private let isTraced: Bool
  /// Set while the run is looked at afterwards: nothing yields, and nothing goes wrong.
  private(set) var isOver = false

  init(_ scenario: Scenario, _ chooser: any Chooser, _ turns: Turns, isTraced: Bool = false) {
    self.scenario = scenario
    self.chooser = chooser
    self.turns = turns
    self.isTraced = isTraced
    world = scenario.world()
  }

  /// Runs everything, and checks what must hold.
  func run() {
    processes = scenario.processes.enumerated().map { index, kind in
      ExploredProcess(
        index: index, kind: kind, domain: scenario.hasTwoLockDomains ? index % 2 : 0)
    }
    let jobs: [() -> Void] = processes.map { process in
      { [unowned self] in
        process.granted = nil
        if process.index == 0 { enter(process) }
        let outcome = process.kind.run(in: self, as: process)
        process.outcome = outcome
        trace(process, "ended: \(outcome)")
        leave(process)
      }
    }
    noteState()
    turns.run(jobs, first: 0)
    isOver = true
    checkEnd()
  }

  func violate(_ text: String) { violations.append(text) }

  func trace(_ process: ExploredProcess, _ text: @autoclosure () -> String) {
    guard isTraced else { return }
    let milliseconds = world.uptimeMilliseconds - World.start
    events.append("\(milliseconds) ms, \(process.index) \(process.kind): \(text())")
  }

  func noteState() {
    var digest = Digest()
    digest.add(world.keyring.digest)
    digest.add(world.serverDigest)
    states.insert(digest.value)
  }

  /// Lets others go first, and learns what goes wrong at this seam.
  ///
  /// - Returns: the fault that the seam must show. After a ``Fault/crash`` nothing that the process
  ///   does has an effect.
  func yield(_ process: ExploredProcess, at seam: Seam) -> Fault? {
    guard process.isRunning else { return .crash }
    guard !isOver else { return nil }
    steps += 1
    guard steps <= Self.stepLimit, world.time - 1_000_000 < Self.secondsLimit else {
      violate("the processes do not end")
      for process in processes { stop(process) }
      return .crash
    }
    process.pending = seam
    let (next, fault) = choose(process)
    if next === process { return suffer(fault, process) }
    next.granted = fault
    turns.wake(next.index)
    turns.sleep(process.index)
    return suffer(process.granted, process)
  }

  /// Waits until a time, or until the lock is free.
  func wait(
    _ process: ExploredProcess, until uptime: Int64, orFor awaited: FakeLock? = nil
  ) {
    guard process.isRunning else { return }
    guard !isOver else {
      world.uptimeMilliseconds = max(uptime, world.uptimeMilliseconds)
      return
    }
    process.wakesAt = uptime
    process.awaited = awaited
    process.pending = .sleep
    let (next, fault) = choose(process)
    if next !== process {
      next.granted = fault
      turns.wake(next.index)
      turns.sleep(process.index)
    }
    process.wakesAt = nil
    process.awaited = nil
    _ = suffer(next === process ? fault : process.granted, process)
  }

  /// Begins: the first process is chosen like every other one after it.
  private func enter(_ process: ExploredProcess) {
    let (next, _) = choose(process, isStart: true)
    guard next !== process else { return }
    turns.wake(next.index)
    turns.sleep(process.index)
  }

  private func leave(_ process: ExploredProcess) {
    guard !processes.allSatisfy(\.hasEnded) else { return turns.end() }
    let (next, fault) = choose(process)
    next.granted = fault
    turns.wake(next.index)
  }

  /// Makes a fault happen, as far as it does not concern the seam alone.
  private func suffer(_ fault: Fault?, _ process: ExploredProcess) -> Fault? {
    process.granted = nil
    guard process.isRunning else { return .crash }
    guard let fault else { return nil }
    world.fault = fault
    trace(process, "\(fault) at \(process.pending)")
    switch fault {
    case .crash: stop(process)
    case .stall: wait(process, until: world.uptimeMilliseconds + 40_000)
    case .deadKeyring: world.keyringReturns = .max
    case .restartedKeyring: world.keyringReturns = world.uptimeMilliseconds + 2_000
    case .clockForward: world.clockOffset += 86_400
    case .clockBack: world.clockOffset -= 86_400
    default: break
    }
    return process.isRunning ? fault : .crash
  }

  private func stop(_ process: ExploredProcess) {
    process.isRunning = false
    for (lock, holder) in world.holders where holder == process.index {
      world.holders[lock] = nil
    }
    for (name, owner) in world.nameOwners where owner == process.index {
      world.nameOwners[name] = nil
    }
  }

  /// Chooses who goes on, and what goes wrong there.
  private func choose(
    _ current: ExploredProcess, isStart: Bool = false
  ) -> (ExploredProcess, Fault?) {
    // Reading the clock shows nothing to others, and nothing that they do shows in it.
    if world.fault != nil, current.pending == .clock, !isStart, !current.hasEnded {
      return (current, nil)
    }
    let ready = readyProcesses(current)
    guard let first = ready.first else { preconditionFailure("nobody can go on") }
    // A process that was stopped has nothing to decide any more.
    if let dead = ready.first(where: { !$0.isRunning }) { return (dead, nil) }
    var options: [(ExploredProcess, Fault?)] = [(first, nil)]
    var costs: [UInt8] = [0]
    let mayFail = world.fault == nil && !isStart
    if mayFail {
      for fault in first.pending.faults where scenario.faults & fault.bit != 0 {
        options.append((first, fault))
        costs.append(1)
      }
    }
    if first.pending != .clock || isStart {
      for other in ready.dropFirst() {
        options.append((other, nil))
        costs.append(1)
      }
    }
    guard options.count > 1 else { return options[0] }
    let choice = chooser.choose(options.count, costs: costs, state: { digest(first) })
    if choice > 0, options[choice].0 !== current { trace(options[choice].0, "goes first") }
    return options[choice]
  }

  /// Who can go on: the current process first, if it can. If all wait, time passes.
  private func readyProcesses(_ current: ExploredProcess) -> [ExploredProcess] {
    while true {
      var ready: [ExploredProcess] = []
      if isReady(current) { ready.append(current) }
      for process in processes where process !== current && isReady(process) {
        ready.append(process)
      }
      if !ready.isEmpty { return ready }
      let wakes = processes.filter { !$0.hasEnded }.compactMap(\.wakesAt)
      guard let next = wakes.min() else { return [] }
      world.uptimeMilliseconds = max(next, world.uptimeMilliseconds)
    }
  }

  private func isReady(_ process: ExploredProcess) -> Bool {
    if process.hasEnded { return false }
    guard process.isRunning, let wakesAt = process.wakesAt else { return true }
    if wakesAt <= world.uptimeMilliseconds { return true }
    return process.awaited.map { world.holders[$0] == nil } ?? false
  }

  private func digest(_ current: ExploredProcess) -> Int {
    var digest = Digest()
    world.add(to: &digest)
    digest.add(current.index)
    for process in processes {
      digest.add(process.hasEnded ? 1 : process.isRunning ? 2 : 3)
      digest.add(Int(process.wakesAt ?? -1))
      digest.add(Int(process.pending.rawValue))
      digest.add(process.observations.value)
    }
    return digest.value
  }
}
