import Foundation
import SessionFakes
import TestDesk
import Testing

/// Callers that say anything, from directories and environments that others have prepared.
@Suite(.blocking) struct `A hostile caller` {
  private static let verbs = [
    "get", "store", "erase", "capability", "token", "header", "list", "doctor",
  ]
  private static let words = [
    "--account=", "--account", "-x", "--", "--format", "json", "cookie", "--min-ttl", "-1", "99999",
    "--url", "https://127.0.0.1:1", "http://", "https://\u{1b}[2J.example", "", " ", "../..",
    "%00", "a=b", "--no-refresh", "--version", "-h", "\u{202e}", "🐫",
    String(repeating: "a", count: 5000), "exec", "callback", "coder-cred://oauth/callback?code=a",
    "config", "get", "status", "--json", "finish-refresh", "use", "--all",
  ]
  private static let variables = [
    "CODER_URL", "CODER_CRED_CONFIG", "CODER_CRED_ENGINE", "CODER_CRED_TRACE", "BROWSER", "HOME",
    "PATH", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_STATE_HOME", "TERM", "LANG",
    "SSL_CERT_FILE", "HTTPS_PROXY", "NO_PROXY", "CLAUDE_CODE_MCP_SERVER_URL", "NO_COLOR",
    "GIO_EXTRA_MODULES", "OPENSSL_CONF", "COLUMNS",
  ]
  /// What a program might run or read by a name without a directory.
  private static let planted = [
    "xdg-open", "wslview", "git", "secret-tool", "coder-cred-engine", "coder",
    "gdbus", "dbus-launch", "sh", "systemctl", "gnome-keyring-daemon",
  ]

  /// A directory with programs that tell when they are run, and files that name other servers.
  private func plant(_ desk: Desk) throws -> String {
    let directory = "\(desk.directory)/planted"
    for name in Self.planted {
      try desk.write("", to: "\(directory)/\(name)")
      try desk.script("echo ran \(name) >>'\(desk.directory)/was-run'", at: "\(directory)/\(name)")
    }
    let hostile = "[coder-cred]\ndefault-deployment = https://127.0.0.1:1/evil\nallow-http = true\n"
    for file in ["config", "coder-cred/config", ".config/coder-cred/config", ".git/config"] {
      try desk.write(hostile, to: "\(directory)/\(file)")
    }
    for library in ["libcurl.so.4", "libqrencode.so.4", "libsecret-1.so.0"] {
      try desk.write("not a library", to: "\(directory)/\(library)")
    }
    return directory
  }

  private func input(_ desk: Desk, _ chance: inout Chance) -> String {
    let samples = [
      desk.request(), desk.request("username=alice", "capability[]=authtype"),
      "protocol=https\nhost=git.example.com\npath=a/b\nusername=bob\npassword=\(desk.plant())\n\n",
      "capability[]=state\nstate[]=coder-cred:1\nwwwauth[]=Bearer\n", "url=https://u:p@[::1]:1/x\n",
    ]
    var bytes = Array(chance.one(of: samples).utf8)
    for _ in 0..<chance.below(6) {
      let place = chance.below(bytes.count)
      switch chance.below(6) {
      case 0 where !bytes.isEmpty: bytes[place] = UInt8(chance.below(128))
      case 1 where !bytes.isEmpty: bytes.remove(at: place)
      case 2:
        bytes.insert(contentsOf: [0x0A, 0x0D, 0x00, 0x3D].shuffled(using: &chance), at: place)
      case 3: bytes += bytes[place...]
      case 4: bytes += Array(repeating: 0x61, count: chance.below(70_000))
      default: bytes = Array(bytes[..<place])
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test(arguments: 1...4)
  func `is refused or served, and nothing that lies about is run, read or changed`(
    _ seed: UInt64
  ) throws {
    try Desk.withSession { desk in
      let directory = try plant(desk)
      var chance = Chance(seed)
      let values = [
        "", directory, ".", ":", "\(directory)/config", "https://127.0.0.1:1/evil", "xdg-open %s",
        "./git", "/dev/null", "/proc/self/environ", "\u{1b}[2J",
        String(repeating: "x", count: 9000),
      ]
      for _ in 0..<rounds(40, full: 2000) {
        let verb = chance.one(of: Self.verbs)
        let more = (0..<chance.below(4)).map { _ in chance.one(of: Self.words) }
        let arguments = chance.below(4) == 0 ? more + [verb] : [verb] + more
        var environment: [String: String] = [:]
        for _ in 0..<chance.below(4) {
          environment[chance.one(of: Self.variables)] = chance.one(of: values)
        }
        // A program that is asked for by name, beside a way to the system's own.
        if environment["PATH"] != nil { environment["PATH"] = ":.:\(PrivateDesktop.path)" }
        // `exec` runs what it is told to, and its status is not ours.
        guard !arguments.contains("exec") else { continue }
        let what = "\(arguments.map { $0.prefix(40) }) \(environment.mapValues { $0.prefix(40) })"
        let before = verb == "get" ? try desk.desktop.items() : nil
        let result = try desk.run(
          arguments, input: input(desk, &chance), environment: environment, directory: directory)
        #expect(
          result.errors.allSatisfy { $0 == 0x0A || $0 >= 0x20 && $0 != 0x7F }, "\(what)")
        if let before { #expect(try desk.desktop.items() == before, "\(what)") }
        #expect(access("\(desk.directory)/was-run", F_OK) != 0, "\(what) ran what was planted")
        try? FileManager.default.removeItem(atPath: "\(desk.directory)/was-run")
      }
      #expect(try !desk.run(["list"]).stdout.contains("/evil"))
    }
  }
}
