import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Signing in with a code that is entered elsewhere (RFC 8628).
@Suite(.blocking) struct `A code for another device` {
  private static func settings(
    _ era: DeploymentSimulator.Era = .c, users: [String] = ["alice"]
  ) -> DeploymentSimulator.Settings {
    var settings = DeploymentSimulator.Settings(era: era, users: users)
    settings.deviceGrantOffered = true
    return settings
  }

  /// The code that a waiting login shows.
  private static func code(
    _ waiting: WaitingLogin, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let mark = "enter this code there:  "
    waitFor("the code", sourceLocation: sourceLocation) {
      waiting.output.contains("Waiting ") || waiting.process.exit != nil
    }
    let start = try #require(
      waiting.output.range(of: mark), "\(waiting.output)", sourceLocation: sourceLocation)
    return String(waiting.output[start.upperBound...].prefix { $0 != "\n" })
  }

  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `signs in when the person allows it`(era: DeploymentSimulator.Era) throws {
    try Desk.with(.unlocked, Self.settings(era)) { desk in
      let waiting = try WaitingLogin(desk, ["--method", "device"])
      let code = try Self.code(waiting)
      #expect(waiting.output.contains("\n  \(desk.url)/oauth2/device\n"))
      #expect(desk.deployment.decideDevice(code))
      waiting.expectEnd(0, saying: "Signed in to \(desk.url) as alice.")
      #expect(try desk.sessions().first?["method"] == "oauth")
      try desk.token("--min-ttl", "31536000")
      #expect(desk.deployment.authorizationRequests == 0)
      // A browser is as good the next time, with the same client.
      try desk.login("--method", "oauth")
      #expect(desk.deployment.registrationRequests == 1)
    }
  }

  @Test func `is the way without a browser, and no way with one`() throws {
    try Desk.with(.unlocked, Self.settings()) { desk in
      for noBrowser in [true, false] {
        let waiting = try WaitingLogin(desk, noBrowser: noBrowser)
        #expect(desk.deployment.decideDevice(try Self.code(waiting)))
        waiting.expectEnd(0)
      }
      #expect(desk.deployment.authorizationRequests == 0)
      try desk.login()
      #expect(desk.deployment.authorizationRequests == 1)
      // Nor is it where the browser is told where to come back to.
      let waiting = try WaitingLogin(desk, ["--redirect", "scheme"])
      #expect(try waiting.address().contains("/oauth2/authorize?"))
      waiting.process.terminate()
    }
  }

  @Test(arguments: [true, false])
  func `is offered at a terminal, first where there is no browser`(hasBrowser: Bool) throws {
    try Desk.with(.unlocked, Self.settings()) { desk in
      let opened = "\(desk.directory)/opened"
      let browser = try desk.browserScript("browser", "echo \"$1\" >'\(opened)'")
      try desk.withTerminal(["login", desk.url], environment: hasBrowser ? browser : [:]) {
        terminal in
        try terminal.expect(
          hasBrowser
            ? "Sign in through the [B]rowser (recommended), with a [C]ode or a [T]oken? "
            : "Sign in with a [C]ode on any device (recommended), [B]rowser or [T]oken? ")
        terminal.type(hasBrowser ? "c" : "")
        try terminal.expect("enter this code there:  ")
        let code = try terminal.expect("\r\n")
        #expect(desk.deployment.decideDevice(code))
        #expect(terminal.end() == .status(0))
        // Whoever sees the arguments of programs could allow it as somebody else.
        if hasBrowser {
          waitFor("the browser to be opened at the page alone") {
            (try? String(contentsOfFile: opened, encoding: .utf8)) == "\(desk.url)/oauth2/device\n"
          }
        }
      }
    }
  }

  @Test func `that is declined or not used in time keeps what there was`() throws {
    try Desk.with(.unlocked, Self.settings()) { desk in
      let declined = try WaitingLogin(desk)
      #expect(desk.deployment.decideDevice(try Self.code(declined), decision: .deny))
      declined.expectEnd(77, saying: "access was denied by whoever was asked in the browser")
      let late = try WaitingLogin(desk)
      _ = try Self.code(late)
      desk.deployment.expireDeviceCodes()
      late.expectEnd(75, saying: "nobody finished signing in to \(desk.url) in time")
      #expect(try desk.desktop.items().isEmpty && desk.deployment.registeredClients.isEmpty)
      try desk.login()
      let again = try WaitingLogin(desk)
      #expect(desk.deployment.decideDevice(try Self.code(again), decision: .deny))
      again.expectEnd(77, saying: "alice stays signed in as before")
      try desk.token("--min-ttl", "31536000")
    }
  }

  @Test func `is waited with through trouble, and more slowly when the deployment wants that`()
    throws
  {
    try Desk.with(.unlocked, Self.settings()) { desk in
      desk.deployment.inject(.status(503), at: .deviceTokens)
      desk.deployment.inject(
        .status(
          400, body: #"{"error":"slow_down"}"#, headers: ["Content-Type": "application/json"]),
        at: .deviceTokens)
      let waiting = try WaitingLogin(desk)
      #expect(desk.deployment.decideDevice(try Self.code(waiting)))
      waiting.expectEnd(0)
      let times = desk.deployment.requests.tokenRequests().map(\.time)
      #expect(times.count == 3)
      // 1 s, doubled by the trouble, and five more.
      #expect(times[1].timeIntervalSince(times[0]) >= 1.9)
      #expect(times[2].timeIntervalSince(times[1]) >= 6.9)
    }
  }

  @Test func `that the deployment does not offer is told`() throws {
    try Desk.with { desk in
      let result = try desk.login("--method", "device", status: 76)
      #expect(result.message("error")?.contains("offers no sign-in with a code") == true)
      #expect(desk.deployment.registeredClients.isEmpty)
    }
  }

  @Test func `for a client that may not use it is asked for once the client may`() throws {
    try Desk.with(.unlocked, Self.settings()) { desk in
      try desk.login()
      let client = try desk.registration()["client_id"]
      let waiting = try WaitingLogin(desk)
      #expect(desk.deployment.decideDevice(try Self.code(waiting)))
      waiting.expectEnd(0)
      #expect(try desk.registration()["client_id"] == client)
      #expect(desk.deployment.registrationRequests == 1)
      #expect(desk.deployment.requests.count { $0.method == "PUT" } == 1)
    }
  }

  @Test func `for a client that never may gives way to the browser`() throws {
    try Desk.with(.unlocked, Self.settings()) { desk in
      let app = desk.deployment.addApplication(
        name: "by hand", redirectURIs: ["http://127.0.0.1/callback"])
      try desk.configure("client-id=\(app.id)")
      try desk.login(input: app.secret + "\n")
      let waiting = try WaitingLogin(desk)
      let address = try waiting.address()
      #expect(waiting.output.contains("Signing in with a code is not possible: "))
      #expect(try Exchange.send("GET", desk.deployment.callback(of: address)).status == 200)
      waiting.expectEnd(0)
      // Asked for by name, it is an error.
      let named = try desk.login("--method", "device", status: 76)
      #expect(named.message("error")?.contains("this client may not sign in this way") == true)
    }
  }

  @Test func `comes from the deployment and is entered there, or nowhere`() throws {
    try Desk.with(.unlocked, Self.settings()) { desk in
      let elsewhere = #"{"device_authorization_endpoint":"https://evil.example/device"}"#
      desk.deployment.inject(.mergePatch(elsewhere), at: .metadata)
      let refused = try desk.login("--method", "device", status: 76)
      #expect(
        refused.message("error")?.contains("device_authorization_endpoint is not part") == true)
      desk.deployment.inject(
        .mergePatch(#"{"verification_uri":"https://evil.example/device"}"#),
        at: .deviceAuthorization)
      let misled = try desk.login("--method", "device", status: 76)
      #expect(misled.message("error")?.contains("verification_uri is not part") == true)
      // Who has a browser need not care.
      desk.deployment.inject(.mergePatch(elsewhere), at: .metadata)
      try desk.login()
    }
  }

  @Test(arguments: [2, 15] as [Int32])
  func `that is given up by a signal leaves nothing behind`(signal: Int32) throws {
    try Desk.with(.unlocked, Self.settings()) { desk in
      let waiting = try WaitingLogin(desk)
      _ = try Self.code(waiting)
      waitFor("a request for tokens") { !desk.deployment.requests.tokenRequests().isEmpty }
      waiting.process.terminate(signal: signal)
      #expect(waiting.process.waitForExit() == .signal(signal))
      #expect(try desk.desktop.items().isEmpty && desk.deployment.registeredClients.isEmpty)
    }
  }

  @Test func `is needed no more when somebody signed in elsewhere`() throws {
    try Desk.with(.unlocked, Self.settings()) { desk in
      let waiting = try WaitingLogin(desk)
      _ = try Self.code(waiting)
      try desk.login("--method", "token", input: desk.deployment.session(user: "alice") + "\n")
      waiting.expectEnd(0, saying: "Signed in to \(desk.url) as alice.")
    }
  }

  @Test func `used by somebody else than was asked for is no sign-in`() throws {
    try Desk.with(.unlocked, Self.settings(users: ["alice", "bob"])) { desk in
      let waiting = try WaitingLogin(desk, ["--account", "alice"])
      #expect(desk.deployment.decideDevice(try Self.code(waiting), as: "bob"))
      waiting.expectEnd(77, saying: "is signed in as bob, not alice")
      #expect(try desk.sessions().isEmpty && desk.deployment.liveTokenPairs == 0)
    }
  }

  @Test(arguments: ["q\n", "\u{3}"])
  func `is given up at a terminal by q and Ctrl-C`(keys: String) throws {
    try Desk.with(.unlocked, Self.settings()) { desk in
      try desk.withTerminal(["login", desk.url, "--method", "device"]) { terminal in
        try terminal.expect("q gives up.")
        terminal.type("BCDF-GHJK")
        try terminal.expect("Type the code in the browser; here, qr shows a QR code, q gives up.")
        terminal.press(keys)
        #expect(terminal.end() == (keys == "q\n" ? .status(1) : .signal(2)))
      }
      #expect(try desk.desktop.items().isEmpty && desk.deployment.registeredClients.isEmpty)
    }
  }

  // MARK: The picture

  /// What a phone's camera reads on a terminal.
  private static func read(_ transcript: String, _ desk: Desk) throws -> String {
    let colours = "\u{1B}[38;5;16;48;5;231m"
    let rows = transcript.components(separatedBy: colours).dropFirst().flatMap { line in
      let blocks = line.prefix { $0 != "\u{1B}" }
      return [blocks.map { "█▀".contains($0) }, blocks.map { "█▄".contains($0) }]
    }
    let size = 4
    let pixels = rows.flatMap { row in
      let line = row.map { String(repeating: $0 ? "0 " : "9 ", count: size) }.joined()
      return Array(repeating: line, count: size)
    }
    guard let width = rows.first.map({ $0.count * size }) else { return "" }
    let picture = "\(desk.directory)/qr.pgm"
    try desk.write(
      "P2\n\(width) \(pixels.count)\n9\n" + pixels.joined(separator: "\n") + "\n", to: picture)
    let result = try desk.desktop.run("zbarimg", ["-q", "--raw", picture])
    return result.stdout.trimmingCharacters(in: .newlines)
  }

  @Test func `is a picture for a phone when it is asked for, and fits into 24 rows`() throws {
    try Desk.with(.unlocked, Self.settings()) { desk in
      try desk.withTerminal(["login", desk.url, "--method", "device"]) { terminal in
        try terminal.expect("enter this code there:  ")
        let code = try terminal.expect("\r\n")
        try terminal.expect("qr shows a QR code for a phone")
        terminal.type("qr")
        try terminal.expect("\u{1B}[38;5;16;48;5;231m")
        waitFor("the picture") {
          (try? Self.read(terminal.transcript, desk))
            == "\(desk.url)/oauth2/device?user_code=\(code)"
        }
        #expect(terminal.transcript.components(separatedBy: "48;5;231m").count - 1 < 24)
        #expect(desk.deployment.decideDevice(code))
        #expect(terminal.end() == .status(0))
      }
      // The address of the browser's page is longer, and is a picture all the same.
      try desk.withTerminal(["login", desk.url, "--method", "oauth"]) { terminal in
        let address = try desk.address(on: terminal)
        try terminal.expect("Waiting ")
        terminal.type("qr")
        waitFor("the picture") { (try? Self.read(terminal.transcript, desk)) == address }
        terminal.type("q")
        #expect(terminal.end() == .status(1))
      }
    }
  }
}
