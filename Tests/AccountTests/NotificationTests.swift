import DeploymentSimulator
import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `A notification to sign in` {
  /// Works at a desk with a display and a session whose grant the deployment has ended.
  private func withEndedGrant(_ work: (Desk) throws -> Void) throws {
    try Desk.with { desk in
      desk.environment = try desk.browser()
      desk.environment["DISPLAY"] = ":77"
      try desk.login()
      desk.deployment.revokeGrant()
      try work(desk)
    }
  }

  /// What a tool does that needs a token for longer than this one lives.
  @discardableResult
  private func fail(_ desk: Desk, environment: [String: String] = [:]) throws -> CommandResult {
    try desk.eraseToken()
    return try desk.run(["token", desk.url], environment: environment)
  }

  /// Whether any process has these words among its arguments.
  private func isRunning(_ words: String) -> Bool {
    let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return processes.contains { process in
      guard Int(process) != nil else { return false }
      let line = try? String(contentsOfFile: "/proc/\(process)/cmdline", encoding: .utf8)
      return line?.contains(words) ?? false
    }
  }

  @Test
  func `A failing process without a terminal has one notification shown, and does not wait for it`()
    throws
  {
    try withEndedGrant { desk in
      let server = try NotificationServer(desk.desktop)
      let result = try fail(desk)
      #expect(result.status == 1)
      #expect(result.stderr.contains("hint: coder-cred login \(desk.url)"))
      waitFor("the notification") { !server.shown.isEmpty }
      let shown = try #require(server.shown.first)
      let name = desk.url.dropFirst("http://".count)
      #expect(shown.summary == "Sign in to \(name)")
      #expect(shown.body.contains(desk.url))
      #expect(shown.actions == ["default", "Sign in", "sign-in", "Sign in"])
      #expect(try desk.run(["token", desk.url]).status == 1)
      #expect(server.shown.count == 1)
    }
  }

  @Test
  func `Of several sessions that are due, each that has ended is told of, and a lock hides none`()
    throws
  {
    try withEndedGrant { desk in
      let other = try desk.anotherDeployment()
      defer { other.stop() }
      let third = try desk.anotherDeployment()
      defer { third.stop() }
      for deployment in [other, third] { try desk.login(to: deployment.url) }
      other.revokeGrant()
      try desk.age()
      third.clearLog()
      try desk.desktop.storeAsOtherApplication(
        "{}", label: "far",
        [
          "application": "coder-cred", "kind": "session", "deployment": "https://far.example",
          "account": "alice", "xdg:schema": "io.github.coder_cred",
        ])
      let collection = try desk.desktop.makeCollection("locked")
      try desk.desktop.move("far", to: collection)
      try desk.desktop.lock(collection)
      let server = try NotificationServer(desk.desktop)
      let result = try desk.run(["refresh", "--due"])
      // What a person must unlock or sign in to comes before success.
      #expect(result.status != 0 && result.stderr.contains("locked"), "\(result.stderr)")
      #expect(third.refreshes.count == 1)
      waitFor("both notifications") { server.shown.count == 2 }
      #expect(
        Set(server.shown.map(\.summary))
          == Set([desk.url, other.url].map { "Sign in to \($0.dropFirst("http://".count))" }))
    }
  }

  @Test func `The end of a session that cannot be refreshed is told days before, once`() throws {
    try Desk.with { desk in
      desk.environment["DISPLAY"] = ":77"
      try desk.login("--method", "token", input: desk.deployment.session(user: "alice") + "\n")
      #expect(try desk.desktop.item().payload["kept_until"] != nil)
      #expect(try !desk.run(["status", desk.url]).stdout.contains("sign in before it ends"))
      let server = try NotificationServer(desk.desktop)
      #expect(try desk.run(["refresh", "--due"]).status == 0)
      // As it is once the deployment does not say any more.
      let now = Int(Date().timeIntervalSince1970)
      try desk.desktop.change(
        try desk.desktop.item(), ["kept_until": now + 86_400, "kept_seconds": 7 * 86_400])
      desk.deployment.stop()
      #expect(try desk.run(["status", desk.url]).stdout.contains("sign in before it ends"))
      for _ in 1...2 { #expect(try desk.run(["refresh", "--due"]).status == 0) }
      waitFor("the notification") { !server.shown.isEmpty }
      usleep(300_000)
      #expect(server.shown.count == 1)
      #expect(server.shown.first?.body.contains(" ends ") == true)
    }
  }

  @Test func `A pasted token that is used lives on, and nobody is told of an end`() throws {
    try Desk.with { desk in
      desk.environment["DISPLAY"] = ":77"
      try desk.login("--method", "token", input: desk.deployment.session(user: "alice") + "\n")
      let kept = try #require(try desk.desktop.item().payload["kept_until"] as? Int)
      try desk.desktop.change(try desk.desktop.item(), "kept_until", to: kept - 10 * 86_400)
      let server = try NotificationServer(desk.desktop)
      #expect(try desk.run(["refresh", "--due"]).status == 0)
      #expect(try desk.desktop.item().payload["kept_until"] as? Int ?? 0 >= kept)
      usleep(300_000)
      #expect(server.shown.isEmpty)
    }
  }

  @Test func `A notification that nobody could show is shown once somebody can`() throws {
    try withEndedGrant { desk in
      try fail(desk)
      try waitFor("the right to notify") {
        let sizes = try desk.runtimeFiles(".notified").map {
          try FileManager.default.attributesOfItem(atPath: $0)[.size] as? Int
        }
        return sizes == [0] && !isRunning("show-sign-in-notice\0\(desk.url)")
      }
      let server = try NotificationServer(desk.desktop)
      #expect(try desk.run(["token", desk.url]).status == 1)
      waitFor("the notification") { !server.shown.isEmpty }
    }
  }

  @Test func `Thirty failing processes show one notification`() throws {
    try withEndedGrant { desk in
      let server = try NotificationServer(desk.desktop, .dismiss)
      // The first failure ends the session without a display; the crowd then finds it ended.
      try fail(desk, environment: ["DISPLAY": ""])
      #expect(server.shown.isEmpty)
      desk.deployment.clearLog()
      let crowd = """
        for i in $(seq 15); do
          setsid --wait "$0" token "$1" 2>&1 & setsid --wait "$0" token --verify "$1" 2>&1 &
        done; wait
        """
      let result = try desk.run("sh", ["-c", crowd, desk.program, desk.url])
      #expect(!desk.canary.isIn(result.output))
      #expect(result.stdout.split(separator: "\n").count { $0.contains("error") } == 30)
      #expect(desk.deployment.requests.isEmpty)
      waitFor("the notification") { !server.shown.isEmpty }
      // A second one would have been started before the last of them ended.
      usleep(500_000)
      #expect(server.shown.count == 1)
    }
  }

  @Test(arguments: [NotificationServer.Behaviour.click, .clickDefault])
  func `The action starts the login, and the next token works`(
    click: NotificationServer.Behaviour
  ) throws {
    try withEndedGrant { desk in
      let server = try NotificationServer(desk.desktop, click, .signalsOfOthers, .markup)
      #expect(try fail(desk).status == 1)
      try waitFor("the login") { try desk.run(["list"]).stdout.contains("valid") }
      #expect(try desk.run(["token", desk.url]).status == 0)
      #expect(server.shown.count == 1)
    }
  }

  @Test func `A login that fails after the click says how to find out why`() throws {
    try withEndedGrant { desk in
      let server = try NotificationServer(desk.desktop, .click)
      try fail(desk, environment: ["DISPLAY": ""])
      desk.deployment.stop()
      #expect(try desk.run(["token", desk.url]).status == 1)
      waitFor("the notification") { server.shown.count == 2 }
      let second = try #require(server.shown.last)
      #expect(second.summary.hasPrefix("Not signed in to "))
      #expect(second.body.hasSuffix("coder-cred login \(desk.url)"))
      #expect(second.actions.isEmpty)
    }
  }

  @Test(arguments: [NotificationServer.Behaviour.dismiss, .noActions])
  func `Closing it, or a server without buttons, starts nothing`(
    behaviour: NotificationServer.Behaviour
  ) throws {
    try withEndedGrant { desk in
      let server = try NotificationServer(desk.desktop, behaviour, .signalsOfOthers, .otherKey)
      try fail(desk)
      waitFor("the notification") { !server.shown.isEmpty }
      waitFor("the end of the notifier") {
        !isRunning("show-sign-in-notice\0\(desk.url)\0")
      }
      #expect(server.shown.first?.actions.isEmpty == (behaviour == .noActions))
      #expect(try desk.run(["list"]).stdout.contains("ended"))
    }
  }

  @Test func `What could be markup in a deployment's path is none in a notification`() throws {
    try Desk.with { desk in
      desk.environment["DISPLAY"] = ":77"
      let server = try NotificationServer(desk.desktop, .markup, .dismiss)
      let url = "https://h.example/a&b'<c>"
      #expect(try desk.run(["token", url]).status == 1)
      waitFor("the notification") { !server.shown.isEmpty }
      let shown = try #require(server.shown.first)
      #expect(shown.summary == "Sign in to h.example/a%26b%27%3Cc%3E")
      #expect(shown.body.contains("https://h.example/a%26b%27%3Cc%3E"))
    }
  }

  @Test(arguments: ["no display", "no bus", "switched off", "other failure"])
  func `Where there is nobody to tell, or nothing, nothing is shown`(_ kind: String) throws {
    try withEndedGrant { desk in
      let server = try NotificationServer(desk.desktop)
      switch kind {
      case "no display": try fail(desk, environment: ["DISPLAY": ""])
      case "no bus":
        #expect(
          try desk.run(["token", desk.url], environment: ["DBUS_SESSION_BUS_ADDRESS": ""]).status
            == 69)
      case "switched off":
        try desk.configure("notifications=false")
        try fail(desk)
      default:
        desk.deployment.stop()
        try fail(desk)
      }
      usleep(300_000)
      #expect(server.shown.isEmpty)
    }
  }

  @Test(arguments: ["link", "directory", "full", "future", "old"])
  func `A stamp is a time and nothing else`(_ kind: String) throws {
    try withEndedGrant { desk in
      let server = try NotificationServer(desk.desktop, .dismiss)
      try fail(desk)
      waitFor("the notification") { server.shown.count == 1 }
      let folder = "\(desk.directory)/run/coder-cred"
      let name = try #require(
        try FileManager.default.contentsOfDirectory(atPath: folder).first {
          $0.hasSuffix(".notified")
        })
      let stamp = "\(folder)/\(name)"
      let victim = "\(desk.directory)/home/victim"
      let files = FileManager.default
      switch kind {
      case "link":
        try desk.write("mine", to: victim)
        try files.removeItem(atPath: stamp)
        try files.createSymbolicLink(atPath: stamp, withDestinationPath: victim)
      case "directory":
        try files.removeItem(atPath: stamp)
        try files.createDirectory(atPath: stamp, withIntermediateDirectories: false)
      case "full": try desk.write(String(repeating: "9", count: 1 << 20), to: stamp)
      case "future":
        try files.setAttributes(
          [.modificationDate: Date(timeIntervalSinceNow: 86_400)], ofItemAtPath: stamp)
      default:
        try files.setAttributes(
          [.modificationDate: Date(timeIntervalSinceNow: -901)], ofItemAtPath: stamp)
      }
      #expect(try desk.run(["token", desk.url]).status == 1)
      let isNew = ["future", "old"].contains(kind)
      if isNew {
        waitFor("the second notification") { server.shown.count == 2 }
      } else {
        usleep(500_000)
        #expect(server.shown.count == 1)
      }
      if kind == "link" { #expect(try String(contentsOfFile: victim, encoding: .utf8) == "mine") }
    }
  }
}
