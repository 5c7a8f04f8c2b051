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
