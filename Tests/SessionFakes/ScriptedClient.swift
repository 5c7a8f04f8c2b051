import Credentials
package import HTTP
import Testing

/// An HTTP client that gives the responses a test foresaw, in that order, and fails on any other
/// request.
package final class ScriptedClient: HTTPClient {
  private struct Step {
    let method: String
    let path: String
    let outcome: Result<HTTPResponse, HTTPError>
  }

  private var steps: [Step] = []
  /// Every request sent.
  package private(set) var requests: [HTTPRequest] = []

  /// Foresees nothing.
  package init() {}

  /// Foresees a request to a path of the benches' deployment, and its response.
  package func on(_ method: String, _ path: String, _ status: Int, json: String = "{}") {
    on(
      method, path,
      .success(
        HTTPResponse(
          status: status, headers: [HTTPField("Content-Type", "application/json")],
          body: Array(json.utf8))))
  }

  /// Foresees a request to a path of the benches' deployment, and what comes of it.
  package func on(_ method: String, _ path: String, _ outcome: Result<HTTPResponse, HTTPError>) {
    steps.append(Step(method: method, path: path, outcome: outcome))
  }

  package func send(_ request: HTTPRequest) throws(HTTPError) -> HTTPResponse {
    requests.append(request)
    guard let step = steps.first, step.method == request.method,
      deployment.url + step.path == request.url
    else {
      Issue.record("unexpected request: \(request)")
      throw .broken(reason: "unexpected request")
    }
    steps.removeFirst()
    return try step.outcome.get()
  }

  /// Whether every request that was foreseen was sent.
  package var isFinished: Bool { steps.isEmpty }

  /// The bodies of the requests, as text.
  package var bodies: [String] {
    requests.map { String(decoding: $0.body ?? [], as: UTF8.self) }
  }
}
