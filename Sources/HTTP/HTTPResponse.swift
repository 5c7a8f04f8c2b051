/// One response to an ``HTTPRequest``, complete unless it says otherwise.
public struct HTTPResponse: Sendable, Equatable {
  /// The status code (RFC 9110 §15).
  public let status: Int
  /// All header fields in the order received.
  public let headers: [HTTPField]
  /// The body, whole, decoded from any content coding.
  public let body: [UInt8]
  /// Why the body may lack its end; nil for a complete response, and for every one to a request
  /// without ``HTTPRequest/takesCutOffBody``.
  public let cutOff: HTTPError?

  /// Makes a response.
  public init(
    status: Int, headers: [HTTPField] = [], body: [UInt8] = [], cutOff: HTTPError? = nil
  ) {
    self.cutOff = cutOff
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// The first value of the named field, compared without regard to case.
  public func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }

  /// The lower-case media type of the body without parameters, such as `application/json`.
  public var mediaType: String? {
    header("Content-Type").map { value in
      String(value.prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" })
    }
  }
}

extension HTTPResponse: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The status alone: fields and bodies may carry secrets.
  public var description: String { "HTTP \(status)" }

  /// The same as ``description``.
  public var debugDescription: String { description }

  /// Shows nothing but ``description``.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
