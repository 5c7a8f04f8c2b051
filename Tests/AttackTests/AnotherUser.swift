import Foundation
import TestDesk
import Testing

/// What another user of this machine tries.
extension Desk {
  /// What other users see of every program's arguments (proc(5) `cmdline`).
  func argumentsSeenByAnotherUser() throws -> String {
    try desktop.runAsOtherUser(
      "/bin/sh", ["-c", "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'"]
    ).stdout
  }

  /// Opens a page as another user's browser would; the status, or “none” without a response.
  func openAsAnotherUser(_ url: String) throws -> String {
    let script = """
      import http.client, sys, urllib.parse
      url = urllib.parse.urlsplit(sys.argv[1])
      connection = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
      try:
          connection.request('GET', url.path + ('?' + url.query if url.query else ''))
          print(connection.getresponse().status)
      except OSError:
          print('none')
      """
    let result = try desktop.runAsOtherUser("/usr/bin/python3", ["-c", script, url])
    #expect(result.status == 0, "\(result.stderr)")
    return result.lines.first ?? ""
  }

  /// A server of another user on a port, that writes what it receives to the log it returns.
  func serveAsAnotherUser(port: Int) throws -> ChildProcess {
    let script = """
      import socket, sys
      server = socket.socket()
      server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
      server.bind(('127.0.0.1', int(sys.argv[1])))
      server.listen()
      print('listening', flush=True)
      while True:
          connection, _ = server.accept()
          connection.settimeout(5)
          try:
              print('received', connection.recv(65536), flush=True)
              connection.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n'
                                 b'Content-Type: application/json\\r\\n\\r\\n{}')
          except OSError:
              pass
          connection.close()
      """
    let server = try desktop.startAsOtherUser(
      "/usr/bin/python3", ["-c", script, "\(port)"], log: "\(directory)/other-user.log")
    waitFor("the other user's server") { server.logText.contains("listening") }
    return server
  }
}
