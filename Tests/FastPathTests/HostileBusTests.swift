import Foundation
import TestDesk
import Testing

@testable import MinimalDBus

/// A socket that somebody listens on, who does what the session's bus would not.
private struct Listener {
  let path: String
  private let desk: Desk
  private let child: ChildProcess

  /// It sends `reply`, which is Python for some bytes, to whoever connects; it belongs to `user`, or
  /// to us.
  init(on desk: Desk, reply: String, user: Int? = nil) throws {
    self.desk = desk
    path = "\(desk.directory)/listener-\(UUID())"
    let script = """
      import os, socket, sys
      s = socket.socket(socket.AF_UNIX)
      s.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o777)
      if sys.argv[2]: os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
      s.listen(5)
      print('listening at', sys.argv[1])
      while True:
          c, _ = s.accept()
          try:
              print('heard', repr(c.recv(4096)))
              c.sendall(\(reply))
              while c.recv(4096): pass
          except OSError:
              pass
      """
    child = try desk.desktop.start(
      "/usr/bin/python3", ["-u", "-c", script, path, user.map(String.init) ?? ""])
    let deadline = Date(timeIntervalSinceNow: 20)
    while !desk.desktop.journal.contains("listening at \(path)"), child.exit == nil,
      .now < deadline
    {
      usleep(5_000)
    }
  }

  func end() { child.end() }
}

@Suite struct `A bus that is not the session's` {
  static let url = "https://fresh.example"

  @Test(.enabled(if: getuid() == 0, "another user is needed, so root is"), arguments: [65534, 1])
  func `of another user is told nothing`(user: Int) throws {
    try Desk.with(.withoutBus) { desk in
      let listener = try Listener(on: desk, reply: "b'DATA\\r\\nOK x\\r\\n'", user: user)
      defer { listener.end() }
      #expect(throws: BusError.refused) { try BusConnection(address: "unix:path=\(listener.path)") }
      let fastPath = try desk.copyFastPath(fullProgram: "exit 99")
      for verb in ["get", "token", "header"] {
        let request = Invocation.words(
          verb, Self.url, with: ["DBUS_SESSION_BUS_ADDRESS": "unix:path=\(listener.path)"])
        #expect(try desk.call(fastPath, request).status == 99)
      }
      #expect(!desk.desktop.journal.contains("AUTH"), "\(desk.desktop.journal)")
    }
  }

  @Test(arguments: [
    "b'REJECTED EXTERNAL\\r\\n'", "b'DATA\\r\\nREJECTED\\r\\n'", "b'OK x\\r\\n'",
    "b'DATA\\r\\nAGREE\\r\\n'",
    "b'\\0'", "b'\\r\\n\\r\\n'", "b'DATA\\r\\nOK x\\r\\n' + b'B' * 64", "b''", "b'DATA\\r\\nOK x'",
    "b'D' * (1 << 21)", "b'DATA\\r\\nOK x\\r\\n' + b'l\\4\\0\\1' + b'\\0' * 12 + b'l\\2'",
  ])
  func `that does not speak as one is left to the full program, soon`(reply: String) throws {
    try Desk.with(.withoutBus) { desk in
      let listener = try Listener(on: desk, reply: reply)
      defer { listener.end() }
      let fastPath = try desk.copyFastPath(fullProgram: "exit 99")
      let request = Invocation.words(
        "token", Self.url, with: ["DBUS_SESSION_BUS_ADDRESS": "unix:path=\(listener.path)"])
      let start = ContinuousClock.now
      let result = try desk.call(fastPath, request)
      #expect(result.status == 99 && result.output.isEmpty && result.errors.isEmpty)
      #expect(start.duration(to: .now) < .seconds(30))
      waitFor("the greeting") { desk.desktop.journal.contains("AUTH EXTERNAL") }
    }
  }
}
