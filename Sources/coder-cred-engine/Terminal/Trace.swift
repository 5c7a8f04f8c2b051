import Glibc
import HTTP

/// What the program does, on standard error, when `CODER_CRED_TRACE=1`: never a secret, a query, a
/// header field or a body.
struct Trace: Sendable {
  let isOn: Bool

  func callAsFunction(_ line: @autoclosure () -> String) {
    if isOn { Terminal.say("coder-cred: trace: \(line())") }
  }
}

/// An HTTP client that says what it is asked and what came of it.
struct TracingClient: HTTPClient {
  let client: any HTTPClient
  let trace: Trace

  func send(_ request: HTTPRequest) throws(HTTPError) -> HTTPResponse {
    do throws(HTTPError) {
      let response = try client.send(request)
      trace("\(request) answered \(response)")
      return response
    } catch {
      trace("\(request) failed: \(error)")
      throw error
    }
  }
}
