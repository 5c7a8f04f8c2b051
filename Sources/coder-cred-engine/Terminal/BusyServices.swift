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
