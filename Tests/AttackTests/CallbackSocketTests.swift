import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Connecting to the socket by which `callback` hands over a response.
enum CallbackSocketPeer {
  /// Python that defines `connect()`, for the sign-in whose state is the first argument. The socket's
  /// name is the state's digest, and no secret: every user can read it in `/proc/net/unix`.
  static let connecting = """
    import base64, hashlib, socket, sys, time
    digest = base64.urlsafe_b64encode(hashlib.sha256(sys.argv[1].encode()).digest())
    name = '\\0coder-cred/\(geteuid())/' + digest.decode().rstrip('=')
    def connect():
        s = socket.socket(socket.AF_UNIX)
        s.connect(name)
        return s
    """
}

@Suite(.blocking) struct `A slow connection to the callback socket` {
  /// What is done on each connection every 0.2 seconds, and how many there are.
  private static let actions = [
    ("s.send(b'c')", 1), ("s.send(b'c')", 8), ("pass", 20), ("s.send(b'x' * 20000)", 4),
    ("s.close()", 6),
  ]

  private static func withConnections(
    _ desk: Desk, _ action: (String, Int), _ work: (WaitingLogin) throws -> Void
  ) throws {
    let waiting = try WaitingLogin(desk)
    let script = """
      \(CallbackSocketPeer.connecting)
      peers = [connect() for _ in range(\(action.1))]
      print('connected', flush=True)
      while True:
          for s in peers:
              try:
                  \(action.0)
              except OSError:
                  pass
          time.sleep(0.2)
      """
    let state = try waiting.parameter("state")
    let peers = try desk.desktop.start(
      "/usr/bin/python3", ["-c", script, state], log: "\(desk.directory)/peers\(state)")
    waitFor("the connections") { peers.logText.contains("connected") }
    try work(waiting)
  }

  @Test(arguments: actions)
  func `keeps neither the browser nor another delivery from the sign-in`(
    action: (String, Int)
  ) throws {
    try Desk.with { desk in
      for isDelivered in [false, true] {
        try Self.withConnections(desk, action) { waiting in
          let address = try waiting.address()
          if isDelivered {
            let callback = try desk.deployment.callback(of: address)
            let delivery = try desk.run(["callback", callback])
            #expect(delivery.status == 0, "\(delivery.stderr)")
          } else {
            #expect(try desk.deployment.browse(authorizationURL: address).callbackStatus == 200)
          }
          waiting.expectEnd(0, saying: "Signed in")
        }
      }
    }
  }

  @Test(arguments: actions)
  func `does not delay Ctrl-C`(action: (String, Int)) throws {
    try Desk.with { desk in
      try Self.withConnections(desk, action) { waiting in
        waiting.process.terminate(signal: SIGINT)
        #expect(waiting.process.waitForExit() == .signal(SIGINT))
      }
    }
  }
}
