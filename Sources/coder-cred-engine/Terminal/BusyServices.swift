import HTTP
import Sessions

/// An HTTP client that shows on a terminal that a server is waited for.
struct BusyClient: HTTPClient {
  let client: any HTTPClient
  let environment: Environment
  /// Who is waited for.
  let name: String

  func send(_ request: HTTPRequest) throws(HTTPError) -> HTTPResponse {
    let line = ProgressLine("Waiting for \(name)", environment)
    defer { line?.end() }
    return try client.send(request)
  }
}

/// A clock that shows on a terminal that something is tried again later.
struct BusyClock: SessionClock {
  let clock: any SessionClock
  let environment: Environment

  var now: Int64 { clock.now }
  var uptimeMilliseconds: Int64 { clock.uptimeMilliseconds }

  func sleep(milliseconds: Int) {
    let line = ProgressLine("Trying again in a moment", environment)
    defer { line?.end() }
    clock.sleep(milliseconds: milliseconds)
  }
}

/// A lock that shows on a terminal that another process is waited for.
struct BusyLock: SessionLock {
  let lock: any SessionLock
  let environment: Environment

  func withLock<Value>(
    of session: SessionIdentity, timeoutMilliseconds: Int,
    orUse existing: () throws(SessionError) -> Value?,
    _ body: (HeldLock) throws(SessionError) -> Value
  ) throws(SessionError) -> Value {
    let line = ProgressLine(
      "Waiting for another process that works on this session", environment)
    defer { line?.end() }
    return try lock.withLock(
      of: session, timeoutMilliseconds: timeoutMilliseconds, orUse: existing
    ) { held throws(SessionError) in
      line?.end()
      return try body(held)
    }
  }
}
