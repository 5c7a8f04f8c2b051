import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// What surrounds a program does not make it tell more, or tell it to others.
@Suite(.blocking) struct `The environment` {
  private static let unwanted = [
    "G_DBUS_DEBUG": "all", "G_MESSAGES_DEBUG": "all", "GOBJECT_DEBUG": "all",
    "GNUTLS_DEBUG_LEVEL": "9", "P11_KIT_DEBUG": "all", "SECRET_SERVICE_BUS_NAME": "org.example.no",
  ]

  @Test func `Variables of libraries change no output, of either program`() throws {
    try Desk.withSession { desk in
      for program in [[:], ["CODER_CRED_ENGINE": "1"]] {
        let plain = try desk.run(["token", desk.url], environment: program)
        let noisy = try desk.run(
          ["token", desk.url], environment: program.merging(Self.unwanted) { $1 })
        #expect(plain.status == 0 && noisy.status == 0, "\(noisy.stderr)")
        #expect(noisy.output == plain.output)
        #expect(noisy.errors == plain.errors, "\(noisy.stderr)")
      }
      // A refresh goes through every library there is.
      let refresh = try desk.run(["refresh", desk.url], environment: Self.unwanted)
      #expect(refresh.status == 0 && refresh.output.isEmpty)
      #expect(refresh.messages.count <= 1, "\(refresh.stderr)")
    }
  }

  @Test func `A command that is executed gets them back, once each`() throws {
    try Desk.withSession { desk in
      let result = try desk.run(["exec", "--", "env"], environment: Self.unwanted)
      #expect(result.status == 0, "\(result.stderr)")
      for (name, value) in Self.unwanted {
        #expect(result.lines.count { $0.hasPrefix("\(name)=") } == 1)
        #expect(result[name] == value)
      }
    }
  }

  @Test func `Without libcurl only what makes a request fails, and says which package helps`()
    throws
  {
    try Desk.withSession { desk in
      // The loader finds this file first, and it is no library.
      try desk.write("", to: "\(desk.directory)/lib/libcurl.so.4")
      desk.environment["LD_LIBRARY_PATH"] = "\(desk.directory)/lib"
      desk.environment["CODER_CRED_ENGINE"] = "1"
      let token = try desk.token()
      for arguments in [["--version"], ["list"], ["status", desk.url]] {
        #expect(try desk.run(arguments).status == 0)
      }
      for arguments in [["refresh", desk.url], ["api", "/api/v2/users/me"]] {
        let result = try desk.run(arguments)
        #expect(result.status == 70, "\(arguments): \(result.stderr)")
        #expect(result.message("error")?.contains("libcurl4") == true, "\(result.stderr)")
      }
      desk.environment["LD_LIBRARY_PATH"] = nil
      #expect(try desk.token() == token)
      #expect(try desk.run(["refresh", desk.url]).status == 0)
    }
  }

  /// Writes its port's callers' bytes to its output; the port is its argument.
  private static let listener = """
    import socket, sys
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(('127.0.0.1', int(sys.argv[1])))
    server.listen()
    print('listening', flush=True)
    while True:
      connection, _ = server.accept()
      print('received', connection.recv(65536), flush=True)
      connection.close()
    """

  @Test(.enabled(if: OtherUser.isAvailable, OtherUser.reason))
  func `Another user on the port of a deployment over http gets nothing`() throws {
    try Desk.withSession { desk in
      try #require(desk.url.hasPrefix("http://127.0.0.1:"))
      desk.deployment.stop()
      let log = "\(desk.directory)/listener.log"
      func received() -> String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
      _ = try desk.desktop.startAsOtherUser(
        "/usr/bin/python3", ["-c", Self.listener, String(desk.deployment.port)], log: log)
      waitFor("the other user's server") { received().contains("listening") }
      let commands = [
        ["refresh", desk.url], ["status", desk.url, "--check"], ["api", "/api/v2/users/me"],
        ["login", desk.url, "--method", "token"], ["logout", desk.url],
      ]
      for arguments in commands {
        let result = try desk.run(arguments, input: "\(desk.plant())\n")
        #expect(result.stderr.contains("another user"), "\(arguments): \(result.stderr)")
        // The canary is in none of the desk's files at its end, the server's log included.
        #expect(!desk.canary.isIn(Array(received().utf8)), "\(arguments)")
      }
      let lines = received().split(separator: "\n").filter { $0.hasPrefix("received") }
      #expect(!lines.isEmpty && lines.allSatisfy { $0 == "received b''" }, "\(lines)")
    }
  }
}
