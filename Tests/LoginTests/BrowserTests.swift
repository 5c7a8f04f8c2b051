import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// When a browser is opened, which one, and what it gets to see.
@Suite(.blocking) struct `The browser` {
  /// Starts a login, and returns what it says before it waits.
  private static func said(
    _ desk: Desk, _ environment: [String: String], directory: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let log = path(desk, "said-\(UUID().uuidString)")
    let login = try desk.start(
      ["login", desk.url], environment: environment, directory: directory, log: log)
    defer { desk.desktop.end(login) }
    var said = ""
    waitFor("the invitation", sourceLocation: sourceLocation) {
      said = String(decoding: FileManager.default.contents(atPath: log) ?? Data(), as: UTF8.self)
      return said.contains("Waiting ") || login.exit != nil
        || said.contains("Your browser asks") && said.contains("S256\n\n")
    }
    // What was opened has been started by now, and may still be on its way.
    if said.contains("Your browser asks") {
      waitFor("the browser", sourceLocation: sourceLocation) { ran(desk)?.hasSuffix("\n") == true }
    }
    return said
  }

  private static func path(_ desk: Desk, _ name: String) -> String {
    "\(desk.directory)/\(name)"
  }

  /// A directory with an `xdg-open` that tells of being run.
  private static func trap(_ desk: Desk, _ name: String) throws -> String {
    let directory = path(desk, name)
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    for program in ["xdg-open", "wslview", "firefox"] {
      _ = try desk.browserScript("\(name)/\(program)", "echo \"$0\" >>\(path(desk, "ran"))")
    }
    return directory
  }

  private static func ran(_ desk: Desk) -> String? {
    FileManager.default.contents(atPath: path(desk, "ran"))
      .map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func `Without a display nothing is opened, and the words are enough`() throws {
    try Desk.with { desk in
      let trap = try Self.trap(desk, "bin")
      let said = try Self.said(desk, ["PATH": "\(trap):/usr/bin:/bin"])
      #expect(Self.ran(desk) == nil)
      #expect(said.contains("Open this address in a browser, on this machine or any other:\n\n  "))
      #expect(said.contains("the last page will not load. That is expected:\ncopy its address ("))
      #expect(!said.contains("ssh "))
    }
  }

  /// The port that the address in a login's words leads back to.
  private static func port(in said: String) throws -> Int {
    let mark = try #require(said.range(of: "redirect_uri=http%3A%2F%2F127.0.0.1%3A"))
    return try #require(Int(said[mark.upperBound...].prefix { $0.isNumber }))
  }

  @Test func `Over SSH nothing is opened, and the tunnel is told`() throws {
    try Desk.with { desk in
      let trap = try Self.trap(desk, "bin")
      let environment = [
        "PATH": "\(trap):/usr/bin:/bin", "DISPLAY": ":10", "USER": "alice",
        "SSH_CONNECTION": "198.51.100.7 50022 203.0.113.5 22",
      ]
      let said = try Self.said(desk, environment)
      #expect(Self.ran(desk) == nil)
      let port = try Self.port(in: said)
      #expect(said.contains("\n  ssh -N -L \(port):127.0.0.1:\(port) alice@203.0.113.5\n"))
      let other = try Self.said(
        desk, ["SSH_CONNECTION": "2001:db8::7 50022 2001:db8::5 2222"])
      let next = try Self.port(in: other)
      let line = "ssh -N -L \(next):127.0.0.1:\(next) -p 2222 \(NSUserName())@2001:db8::5"
      #expect(other.contains("\n  \(line)\n"))
      let workspace = try Self.said(
        desk,
        [
          "SSH_CONNECTION": "x", "CODER": "true", "CODER_WORKSPACE_NAME": "dev",
        ])
      let last = try Self.port(in: workspace)
      #expect(workspace.contains("\n  coder port-forward dev --tcp \(last)\n"))
    }
  }

  @Test(arguments: [
    ["DISPLAY": ":0"], ["WAYLAND_DISPLAY": "wayland-0"], ["WSL_DISTRO_NAME": "Debian"],
  ])
  func `On a desktop its browser is opened, from absolute entries of PATH alone`(
    desktop: [String: String]
  ) throws {
    try Desk.with { desk in
      let trap = try Self.trap(desk, "cwd")
      let absolute = try Self.trap(desk, "bin")
      let name = desktop["WSL_DISTRO_NAME"] == nil ? "xdg-open" : "wslview"
      let hostile = desktop.merging(["PATH": ".:bin:cwd::\(absolute)"]) { $1 }
      let said = try Self.said(desk, hostile, directory: trap)
      #expect(Self.ran(desk) == "\(absolute)/\(name)\n")
      #expect(said.contains("Your browser asks whether to allow it."))
      #expect(!said.contains("will not load"))
      // And with none of them, nothing.
      try FileManager.default.removeItem(atPath: Self.path(desk, "ran"))
      let none = try Self.said(desk, desktop.merging(["PATH": ".::cwd"]) { $1 }, directory: trap)
      #expect(Self.ran(desk) == nil && none.contains("will not load"))
    }
  }

  @Test func `BROWSER does not lead into the working directory`() throws {
    try Desk.with { desk in
      let trap = try Self.trap(desk, "cwd")
      for browser in ["./xdg-open", "xdg-open", "cwd/xdg-open", "", "nonexistent:./firefox"] {
        let environment = ["BROWSER": browser, "PATH": "/nonexistent", "DISPLAY": ":0"]
        #expect(try Self.said(desk, environment, directory: trap).contains("will not load"))
      }
      #expect(Self.ran(desk) == nil)
    }
  }

  @Test(.enabled(if: OtherUser.isAvailable, OtherUser.reason))
  func `BROWSER is a list of commands, with the address where they want it`() throws {
    try Desk.with { desk in
      let somebody = try desk.desktop.startAsOtherUser("sleep", ["60"])
      defer { somebody.terminate() }
      let show = try desk.browserScript(
        "show", "printf '%s\\n' \"$@\" >>\(Self.path(desk, "ran")); exit 0")
      let path = try #require(show["BROWSER"])
      _ = try Self.said(desk, ["BROWSER": "/nonexistent:\(path) -new --to=%s x:\(path) second"])
      let words = try #require(Self.ran(desk)).split(separator: "\n")
      #expect(words.count == 3 && words[0] == "-new" && words[2] == "x")
      // An address of ours, for one use; it leads to the authorization.
      #expect(words[1].hasPrefix("--to=http://127.0.0.1:") && words[1].contains("/start/"))
    }
  }

  @Test func `It gets no descriptor, no secret variable, and no say on our streams`() throws {
    try Desk.with { desk in
      let file = Self.path(desk, "ran")
      let look = try desk.browserScript(
        "look",
        """
        echo noise; echo noise >&2
        ls -l /proc/$$/fd >\(file).new
        { env; grep '^SigIgn' /proc/$$/status; } >>\(file).new
        mv \(file).new \(file)
        """)
      let secrets = [
        "CODER_SESSION_TOKEN": "secret-a", "GITHUB_TOKEN": "secret-b", "MY_PASSWORD": "secret-c",
        "SSH_AUTH_SOCK": "/secret-d", "HTTPS_PROXY": "http://u:secret-e@127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
      ]
      let said = try Self.said(desk, look.merging(secrets) { $1 })
      #expect(!said.contains("noise"))
      let seen = try #require(Self.ran(desk))
      #expect(!seen.contains("secret"))
      #expect(seen.contains("HOME=") && seen.contains("DBUS_SESSION_BUS_ADDRESS="))
      // SIGPIPE is the thirteenth signal; we ignore it ourselves.
      for line in seen.split(separator: "\n") where line.hasPrefix("Sig") {
        #expect(UInt64(line.suffix(16), radix: 16).map { $0 & 0x7FFF_FFFF } == 0, "\(line)")
      }
      // A file may be the script's own; a socket or a lock would be ours.
      #expect(seen.contains("/dev/null") && !seen.contains("socket:") && !seen.contains(".login"))
    }
  }

  /// Shell that writes into a file where the browser is led: at once, or by a page of ours.
  private static func follow(to file: String) -> String {
    """
    /usr/bin/python3 -c 'import http.client, sys, urllib.parse
    url = urllib.parse.urlsplit(sys.argv[1])
    connection = http.client.HTTPConnection(url.netloc)
    if url.path.startswith("/start/"): connection.request("GET", url.path)
    print(connection.getresponse().getheader("Location") if connection.sock else sys.argv[1]
    )' "$1" >\(file).new
    mv \(file).new \(file)
    """
  }

  @Test func `It may know the deployment under another address`() throws {
    var settings = DeploymentSimulator.Settings()
    settings.basePath = "/coder"
    try Desk.with(.unlocked, settings) { desk in
      let show = try desk.browserScript("show", Self.follow(to: Self.path(desk, "ran")))
      try desk.configure("browser-url=https://outside.example/proxy/")
      #expect(try Self.said(desk, show).contains("\n  https://outside.example/proxy/oauth2/"))
      #expect(Self.ran(desk)?.hasPrefix("https://outside.example/proxy/oauth2/authorize?") == true)
      #expect(desk.deployment.registrationRequests == 1)
      for bad in ["ftp://x", "javascript:alert(1)", "file:///etc/passwd"] {
        try desk.configure("browser-url=\(bad)")
        try desk.login(status: 64)
      }
    }
  }

  private static let hostile = [
    "javascript:alert(1)", "file:///etc/passwd", "--version", "http://x$(id)/", "vscode://x/y",
    "https://user@127.0.0.1/",
  ]

  @Test func `A hostile authorization endpoint is never opened`() throws {
    try Desk.with { desk in
      let show = try desk.browserScript("show", "printf '%s\\n' \"$1\" >>\(Self.path(desk, "ran"))")
      for endpoint in Self.hostile {
        let patch = #"{"authorization_endpoint":"\#(endpoint)"}"#
        desk.deployment.inject(.mergePatch(patch), at: .metadata)
        try desk.login("--method", "oauth", environment: show, status: 76)
      }
      #expect(Self.ran(desk) == nil)
    }
  }
}
