import Foundation

/// A response that a test writes, down to its bytes.
///
/// ```swift
/// desk.deployment.respond(at: .exchange, with: .init(401, json: #"{"error":"invalid_client"}"#))
/// desk.deployment.changeResponses(at: .refresh) { response, request in
///   response.setMembers(#"{"refresh_token":null,"expires_in":"3600"}"#)
///   response.body = [0xEF, 0xBB, 0xBF] + response.body
/// }
/// ```
///
/// `Content-Length`, `Connection: close` and, unless there is one, `Date` are added when it is sent.
/// For bytes that are not even HTTP there is `Fault.raw`.
public struct ScriptedResponse: Sendable {
  /// The status of the status line.
  public var status: Int
  /// The header fields in the order sent; a name may come twice.
  public var fields: [(name: String, value: String)]
  /// The body.
  public var body: [UInt8]
  /// Whether `Content-Length` is sent; without it the body ends with the connection.
  public var declaresLength = true

  /// A response with any body.
  public init(
    _ status: Int = 200, fields: [(name: String, value: String)] = [], body: [UInt8] = []
  ) {
    (self.status, self.fields, self.body) = (status, fields, body)
  }

  /// A response whose body is said to be JSON, whatever it is.
  public init(_ status: Int = 200, json: String) {
    self.init(status, fields: [("Content-Type", "application/json")], body: Array(json.utf8))
  }

  /// The body as text.
  public var text: String {
    get { String(decoding: body, as: UTF8.self) }
    set { body = Array(newValue.utf8) }
  }

  /// The value of a field, of the first when there are several; setting it replaces them all, and
  /// setting nil removes them.
  public subscript(_ name: String) -> String? {
    get { fields.first { Self.isSame($0.name, name) }?.value }
    set {
      fields.removeAll { Self.isSame($0.name, name) }
      if let newValue { fields.append((name, newValue)) }
    }
  }

  /// Changes members of a JSON body by an RFC 7396 merge patch: null removes a member.
  public mutating func setMembers(_ patch: String) {
    guard let value = JSON(parsing: body), let change = JSON(parsing: patch) else { return }
    text = value.merging(change).text
  }

  /// A member of a JSON body, strings as they are and anything else as JSON text.
  public func member(_ name: String) -> String? {
    guard let value = JSON(parsing: body)?[name] else { return nil }
    return value.string ?? value.text
  }

  /// Makes the members of a JSON body the fields of a form, as some servers send tokens.
  public mutating func encodeAsForm() {
    guard case .object(let members)? = JSON(parsing: body) else { return }
    var components = URLComponents()
    components.queryItems = members.map {
      URLQueryItem(name: $0.name, value: $0.value.string ?? $0.value.text)
    }
    text = components.percentEncodedQuery ?? ""
    self["Content-Type"] = "application/x-www-form-urlencoded"
  }

  private static func isSame(_ one: String, _ other: String) -> Bool {
    one.lowercased() == other.lowercased()
  }
}

extension DeploymentSimulator {
  /// Gives the next requests at an endpoint these responses, one after the other, without doing what
  /// they ask for; later requests get the usual ones.
  public func respond(at endpoint: Endpoint, with responses: ScriptedResponse...) {
    for response in responses { inject(.response(response), at: endpoint) }
  }

  /// Does what requests at an endpoint ask for, and changes the usual response before it is sent:
  /// of the next `times` requests, by default of all until `clearFaults()`.
  public func changeResponses(
    at endpoint: Endpoint, times: Int = .max,
    _ change: @escaping @Sendable (inout ScriptedResponse, LoggedRequest) -> Void
  ) {
    inject(.change(change), at: endpoint, times: times)
  }
}

extension ScriptedResponse {
  init(_ response: Response) {
    self.init(
      response.status, fields: response.headers.map { ($0.name, $0.value) }, body: response.body)
  }

  var bytes: [UInt8] {
    let head = Response(
      status: status, headers: fields.map { Field(name: $0.name, value: $0.value) })
    return head.head(length: declaresLength ? body.count : nil) + body
  }
}
