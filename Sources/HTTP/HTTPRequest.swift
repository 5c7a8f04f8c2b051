/// One request, ready to be sent.
///
/// Header values and bodies may carry secrets, so a request prints only its method and its URL
/// without the query.
public struct HTTPRequest: Sendable, Equatable {
  /// The method in upper case, such as `GET` (RFC 9110 §9).
  public var method: String
  /// The absolute URL.
  public var url: String
  /// Fields besides those every request carries (`Host`, `User-Agent`, `Content-Length`).
  public var headers: [HTTPField]
  /// The body, or nil for a request without one.
  public var body: [UInt8]?
  /// Whether a successful response counts although the connection broke within its body, or did not
  /// end it in time: what was sent may be lost with it otherwise. See ``HTTPResponse/cutOff``.
  public var takesCutOffBody = false

  /// Makes a request; by default a `GET` without fields or body.
  public init(
    method: String = "GET", url: String, headers: [HTTPField] = [], body: [UInt8]? = nil
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
  }
}

extension HTTPRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The method and the URL up to its query.
  public var description: String {
    "\(method) \(url.prefix { $0 != "?" && $0 != "#" })"
  }

  /// The same as ``description``.
  public var debugDescription: String { description }

  /// Shows nothing but ``description``.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
