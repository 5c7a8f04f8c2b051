import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Many processes that do everything at once at many deployments, while these fail and the keyring
/// dies.
struct Soak: Sendable {
  let desk: Desk
  let deployments: [SoakDeployment]
  let outages = KeyringOutages()
  let tally = SoakTally()
  let browser: [String: String]

  /// Starts deployments of every era; each ends a grant whose refresh token is used twice.
  init(_ desk: Desk, deployments count: Int) throws {
    self.desk = desk
    browser = try desk.browser()
    let eras = DeploymentSimulator.Era.allCases
    deployments = try (0..<count).map { number in
      var settings = DeploymentSimulator.Settings(era: eras[number % eras.count])
      settings.revokesOnReuse = true
      // Some tokens are never far from their end.
      if number.isMultiple(of: 5) { settings.accessTokenLifetime = 60 }
      return SoakDeployment(try desk.anotherDeployment(settings))
    }
  }

  func stop() { for target in deployments { target.deployment.stop() } }

  /// Signs in wherever there is no session for certain.
  func signIn() throws {
    for target in deployments where target.hasSession != true {
      try target.change {
        let result = try desk.run(["login", target.url], environment: browser)
        #expect(result.status == 0, "\(result.stderr)")
        return result.status == 0
      }
    }
  }

  /// Lets workers work, deployments fail and the keyring die, for so many seconds; everything is up
  /// again when it returns. Returns the workers.
  func run(workers count: Int, seconds: Double) throws -> [SoakWorker] {
    let end = ContinuousClock.now.advanced(by: .seconds(seconds))
    let patience = seconds + 120
    let deaths = Background { try killKeyring(until: end) }
    let trouble = Background { makeTrouble(until: end) }
    let workers = (0..<count).map { SoakWorker($0, of: self) }
    let ended = workers.map { worker in
      Background {
        var worker = worker
        while ContinuousClock.now < end { try worker.work() }
        return worker
      }
    }
    let result = try ended.map { try $0.value(timeoutSeconds: patience) }
    try trouble.value(timeoutSeconds: patience)
    try deaths.value(timeoutSeconds: patience)
    for target in deployments { target.deployment.clearFaults() }
    return result
  }

  /// Kills gnome-keyring again and again, and starts it a moment later: sooner than a refresh gives
  /// up to save what it got.
  private func killKeyring(until end: ContinuousClock.Instant) throws {
    while pause(seconds: .random(in: 3...9), until: end) {
      try outages.during {
        desk.desktop.stopKeyring()
        usleep(useconds_t.random(in: 0...300_000))
        try desk.desktop.restartKeyring()
      }
    }
  }

  /// Lets requests fail, but no token request that the deployment has acted on: then the tokens are
  /// gone, and nobody can have kept them.
  private func makeTrouble(until end: ContinuousClock.Instant) {
    let faults =
      Trouble.all.filter { !$0.isSlow && $0.status == 75 }.map(\.fault) + [
        .delay(milliseconds: 700), .drip(millisecondsPerByte: 1), .contentType("text/html"),
      ]
    // Not the account: a session whose account cannot be learned is another one beside the former,
    // which the deployment has ended.
    let endpoints: [DeploymentSimulator.Endpoint] = [
      .refresh, .refresh, .refresh, .exchange, .registration, .metadata, .revocation,
      .clientConfiguration,
    ]
    while pause(seconds: 0.1, until: end) {
      guard let deployment = deployments.randomElement()?.deployment,
        let fault = faults.randomElement(), let endpoint = endpoints.randomElement()
      else { return }
      // What nobody met is gone by then, so that a deployment is not always in trouble.
      if Int.random(in: 0..<3) == 0 { deployment.clearFaults() }
      deployment.inject(fault, at: endpoint, times: Int.random(in: 1...2))
      deployment.clearLog()
    }
  }

  /// Waits; false when the time is up before.
  private func pause(seconds: Double, until end: ContinuousClock.Instant) -> Bool {
    let wake = ContinuousClock.now.advanced(by: .seconds(seconds))
    while ContinuousClock.now < min(wake, end) { usleep(20_000) }
    return wake < end
  }
}

/// What is left when everything has ended.
extension Soak {
  /// The processes of the programs that run at this desk.
  private var processes: [String] {
    let programs = [desk.program, desk.fullProgram].map { URL(fileURLWithPath: $0) }
    let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return all.filter { process in
      guard process.allSatisfy(\.isNumber) else { return false }
      let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/exe")
      guard let link, programs.contains(URL(fileURLWithPath: link)) else { return false }
      let environment = FileManager.default.contents(atPath: "/proc/\(process)/environ") ?? Data()
      return environment.range(of: Data("\(desk.directory)/".utf8)) != nil
    }
  }

  /// The files of the desk, but for the keyring's own and the journal.
  var files: Set<String> {
    let all = FileManager.default.enumerator(atPath: desk.directory)?.compactMap { $0 as? String }
    return Set((all ?? []).filter { !$0.hasPrefix("data/keyrings") && $0 != "log" })
  }

  /// Connections to the bus.
  private func connections() throws -> Int {
    let names = try desk.desktop.run(
      "gdbus",
      ["call", "--session", "--dest", "org.freedesktop.DBus", "--object-path", "/"]
        + ["--method", "org.freedesktop.DBus.ListNames"])
    return names.stdout.split(separator: "'").count { $0.hasPrefix(":") }
  }

  /// Expects no process, no lock and no connection to be left.
  func expectQuiet() throws {
    // A refresh outlives who asked for it, and may have begun after the processes were counted.
    try waitFor("the last process to end, and the last lock to be free", timeoutSeconds: 150) {
      try processes.isEmpty && !desk.isLocked
    }
    // Of gnome-keyring and of who asks.
    waitFor("the bus to be left") { (try? connections()) ?? 0 <= 2 }
  }

  /// Refreshes at the first deployment, and returns the most memory, in KiB, that whoever asked and
  /// whoever refreshed had needed until the deployment responded.
  func memoryOfRefresh() throws -> Int {
    guard let target = deployments.first else { return 0 }
    target.deployment.clearLog()
    target.deployment.inject(.hold, at: .refresh)
    defer { target.deployment.releaseHeld() }
    let child = try desk.start(["refresh", target.url], log: "/dev/null")
    defer { desk.desktop.end(child) }
    #expect(target.deployment.wait { !$0.tokenRequests().isEmpty })
    let peaks = try [child.pid, desk.refreshProcess(of: child)].map(Self.peak)
    target.deployment.releaseHeld()
    #expect(child.waitForExit() == .status(0))
    return peaks.reduce(0, +)
  }

  private static func peak(of process: Int32) throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
    return Int(line.filter(\.isNumber)) ?? 0
  }
}
