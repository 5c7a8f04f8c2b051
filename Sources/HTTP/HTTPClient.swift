// HTTP: values for requests and responses, a client of one method, and libcurl behind it.
//
// What always holds:
// - Nothing is sent but over TLS to a server whose certificate was verified, or over loopback to a
//   program of our own user or root; anything else only where the settings allow plain http.
// - A redirect is a response; a request that may change something is sent at most once.
// - Everything has a limit: connecting, the whole exchange, header, body, certificate files.
// - What libcurl obeys comes from the settings; the process's environment is not read.
// - No error holds a secret, a query or a part of a response's body, and each tells whether the
//   request can have been sent.
// - libcurl is loaded by the first request.

/// The seam between the program and the network: one blocking exchange.
public protocol HTTPClient {
  /// Sends a request and returns the whole response, whatever its status.
  ///
  /// Redirects are responses like any other and are never followed.
  ///
  /// - Parameter request: the request to send.
  /// - Returns: the response, complete and within the client's limits.
  /// - Throws: `HTTPError` when there is no complete response.
  func send(_ request: HTTPRequest) throws(HTTPError) -> HTTPResponse
}
