import DeploymentSimulator
import SessionFakes
import TestDesk
import Testing

/// A command that is run with a saboteur before its bus.
private struct Command: Sendable {
  let name: String
  let arguments: [String]
  var input = ""
  var environment: [String: String] = [:]
  /// Whether nothing in the keyring may change.
  var onlyReads = true
  /// Whether the session may be gone afterwards: it was meant to end, or is exchanged for a new one.
  var mayEndSession = false

  static func all(_ desk: Desk) throws -> [Command] {
    let request = desk.request()
    let place = "protocol=https\nhost=git.example.com\nusername=bob\n"
    let full = ["CODER_CRED_TRACE": "1"]
    return [
      Command(name: "get", arguments: ["get"], input: request),
      Command(name: "get, full program", arguments: ["get"], input: request, environment: full),
      Command(name: "get of a password", arguments: ["get"], input: place + "\n"),
      Command(name: "token", arguments: ["token", desk.url]),
      Command(name: "header", arguments: ["header", desk.url], environment: full),
      Command(name: "list", arguments: ["list"]), Command(name: "status", arguments: ["status"]),
      Command(name: "api", arguments: ["api", "/api/v2/users/me", "--url", desk.url]),
      Command(name: "doctor", arguments: ["doctor", "--json"], onlyReads: false),
      Command(
        name: "store", arguments: ["store"], input: place + "password=\(desk.plant())\n\n",
        onlyReads: false),
      Command(name: "erase", arguments: ["erase"], input: place + "\n", onlyReads: false),
      Command(
        name: "erase of a token", arguments: ["erase"],
        input: desk.request("username=alice", "password=other")),
      Command(
        name: "refresh", arguments: ["refresh", desk.url], onlyReads: false, mayEndSession: true),
      Command(
        name: "login", arguments: ["login", desk.url], environment: try desk.browser(),
        onlyReads: false, mayEndSession: true),
      Command(
        name: "logout", arguments: ["logout", desk.url], onlyReads: false, mayEndSession: true),
    ]
  }
}

/// A bus, or a Secret Service, that lies, stalls, dies or floods at any step of any command.
@Suite(.blocking) struct `A sabotaged bus` {
  @Test(arguments: 1...4)
  func `costs no command its end, no session its life and no secret its keeping`(
    _ seed: UInt64
  ) throws {
    try Desk.withSession { desk in
      let saboteur = try BusSaboteur(desk)
      let commands = try Command.all(desk)
      let browser = try desk.browser()
      var chance = Chance(seed)
      var steps: [String: Int] = [:]
      func run(_ command: Command) throws -> CommandResult {
        try desk.run(
          command.arguments, input: command.input,
          environment: command.environment.merging(["DBUS_SESSION_BUS_ADDRESS": saboteur.address]) {
            $1
          })
      }
      for command in commands {
        // How many messages there are to spoil, when none is spoilt.
        try saboteur.plan(.late, at: .max)
        let undisturbed = try run(command)
        #expect(undisturbed.status == 0, "\(command.name): \(undisturbed.stderr)")
        steps[command.name] = saboteur.messages
        if command.mayEndSession { try desk.run(["login", desk.url], environment: browser) }
      }
      var before = try desk.desktop.items()
      for _ in 0..<rounds(9, full: 400) {
        let command = chance.one(of: commands)
        let sabotages = BusSaboteur.Sabotage.allCases.filter {
          !BusSaboteur.slow.contains($0) || chance.below(isFullRun ? 2 : 12) == 0
        }
        let sabotage = chance.one(of: sabotages)
        let step = chance.below(steps[command.name, default: 1] + 2)
        let what = "\(command.name), \(sabotage) at \(step)"
        try saboteur.plan(sabotage, at: step)
        let result = try run(command)
        // Nothing is given out for what the keyring said of another account or server.
        if result.status == 0, ["get", "token"].contains(command.name) {
          let token = result["password"] ?? result.lines.first ?? ""
          #expect(desk.deployment.isValid(accessToken: token), "\(what)")
        }
        try desk.waitForRefreshes()
        if command.onlyReads {
          let after = try desk.desktop.items()
          #expect(after == before, "\(what) changed the keyring: \(result.stderr)")
          before = after
        }
        let next = try desk.run(["token", desk.url])
        if next.status != 0 {
          #expect(command.mayEndSession && next.status == 1, "\(what): \(next.stderr)")
          try desk.run(["login", desk.url], environment: browser)
        } else {
          #expect(desk.deployment.isValid(accessToken: next.lines.first ?? ""), "\(what)")
        }
        if !command.onlyReads { before = try desk.desktop.items() }
      }
    }
  }
}
