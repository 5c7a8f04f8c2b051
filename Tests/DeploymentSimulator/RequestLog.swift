public import Foundation

extension DeploymentSimulator {
  /// One request the deployment received. Printing it never shows a value, only names.
  public struct LoggedRequest: Sendable, CustomStringConvertible, CustomReflectable {
    /// Counts requests from 0, over the whole life of the deployment.
    public let number: Int
    /// The HTTP method.
    public let method: String
    /// The path below the deployment's base path.
    public let path: String
    /// The names of the query parameters, in the order sent.
    public let queryNames: [String]
    /// The names of the form fields, in the order sent.
    public let formNames: [String]
    /// When the request had arrived completely.
    public let time: Date
    /// The status given; nil until a response is sent, 0 when none was.
    public internal(set) var status: Int?
    /// The fault that met this request.
    public internal(set) var fault: String?
    /// The grant type of a token request.
    public let grantType: String?

    /// The values of the form fields: secrets, for assertions only.
    public let form: [String: String]
    /// The values of the query parameters: perhaps secrets, for assertions only.
    public let query: [String: String]
    /// The headers by lower-case name: perhaps secrets, for assertions only.
    public let headers: [String: String]
    /// The first MiB of the raw body: perhaps secrets, for assertions only.
    public let body: [UInt8]

    init(number: Int, _ request: Request) {
      self.number = number
      method = request.method
      path = request.path
      queryNames = request.query.names
      formNames = request.form.names
      time = Date()
      grantType = request.form["grant_type"]
      form = Self.dictionary(request.form.fields)
      query = Self.dictionary(request.query.fields)
      headers = Self.dictionary(
        request.headers.map { Field(name: $0.name.lowercased(), value: $0.value) })
      body = Array(request.body.prefix(1 << 20))
    }

    private static func dictionary(_ fields: [Field]) -> [String: String] {
      Dictionary(fields.map { ($0.name, $0.value) }) { first, _ in first }
    }

    /// Method, path, names and status.
    public var description: String {
      let names = queryNames.map { "?" + $0 } + formNames
      let outcome = status.map(String.init) ?? "pending"
      let reason = fault.map { " (\($0))" } ?? ""
      return "#\(number) \(method) \(path) [\(names.joined(separator: " "))] -> \(outcome)\(reason)"
    }

    /// Mirrors the description only, so that a failing expectation prints no secret.
    public var customMirror: Mirror { Mirror(self, children: ["description": description]) }

    var json: JSON {
      [
        "number": .integer(number), "method": .string(method), "path": .string(path),
        "query": .strings(queryNames), "form": .strings(formNames),
        "grant_type": grantType.map(JSON.string) ?? .null,
        "status": status.map(JSON.integer) ?? .null, "fault": fault.map(JSON.string) ?? .null,
        "time": .number(time.timeIntervalSince1970),
        "user_agent": headers["user-agent"].map(JSON.string) ?? .null,
      ]
    }
  }
}

extension Sequence<DeploymentSimulator.LoggedRequest> {
  /// How many requests had this method and path.
  public func count(method: String, path: String) -> Int {
    count { $0.method == method && $0.path == path }
  }

  /// The token requests, of one grant type or of all.
  public func tokenRequests(grant: String? = nil) -> [DeploymentSimulator.LoggedRequest] {
    filter {
      $0.method == "POST" && $0.path == "/oauth2/tokens" && (grant == nil || $0.grantType == grant)
    }
  }
}

extension ServerState {
  mutating func logArrival(_ request: Request, fault: String?) -> Int {
    var entry = DeploymentSimulator.LoggedRequest(number: nextRequest, request)
    entry.fault = fault
    nextRequest += 1
    log.append(entry)
    return entry.number
  }

  mutating func logStatus(_ status: Int, of number: Int) {
    guard let index = log.lastIndex(where: { $0.number == number }) else { return }
    log[index].status = status
  }
}
