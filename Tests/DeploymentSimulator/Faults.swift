extension DeploymentSimulator {
  /// Something that goes wrong with one request, on demand.
  public enum Fault: Sendable {
    /// A response of our own.
    case status(Int, body: String = "", headers: [String: String] = [:])
    /// Wait, then respond as usual.
    case delay(milliseconds: Int)
    /// Wait until `releaseHeld()` or the end of the deployment, then respond as usual; a request
    /// that comes only after the release does not wait.
    case hold
    /// Close the connection without a byte of response.
    case drop
    /// The usual response, cut in the middle of its body and of its declared length.
    case cut
    /// Bytes that are not HTTP.
    case garbage
    /// These bytes and nothing else.
    case raw([UInt8])
    /// The usual response with half of its JSON, declared as complete.
    case truncatedJSON
    /// Status 200 with a body that only claims to be JSON.
    case invalidJSON
    /// Status 200 with a web page, as a captive portal gives.
    case htmlPage
    /// Status 200 with nothing in it.
    case emptyBody
    /// The usual response under another content type.
    case contentType(String)
    /// Status 200 with a body of this many MiB, its length declared or not.
    case hugeBody(mebibytes: Int, declared: Bool = true)
    /// Status 200 with a gzip body that grows to this many MiB.
    case gzipBomb(mebibytes: Int)
    /// Header lines until the client hangs up, at most 64 MiB.
    case endlessHeaders
    /// The usual response, one byte at a time.
    case drip(millisecondsPerByte: Int)
    /// A redirect, 302 unless told otherwise.
    case redirect(to: String, status: Int = 302)
    /// An OAuth error document under status 200.
    case oauthErrorIn200(String)
    /// The usual response, its JSON changed by this RFC 7396 merge patch.
    case mergePatch(String)
    /// This response, and nothing done.
    case response(ScriptedResponse)
    /// The usual response, changed by a function.
    case change(@Sendable (inout ScriptedResponse, LoggedRequest) -> Void)

    /// The fault's name, for the log.
    public var name: String {
      if case .hold = self { return "hold" }
      return String(String(describing: self).prefix { $0 != "(" })
    }

    /// Whether the fault only changes what the server did anyway.
    var acts: Bool {
      switch self {
      case .delay, .hold, .cut, .truncatedJSON, .contentType, .drip, .mergePatch, .change: true
      default: false
      }
    }
  }

  /// The requests a fault waits for.
  public struct Endpoint: Sendable, ExpressibleByStringLiteral {
    let text: String
    let grantType: String?

    /// `"/path"`, `"POST /path"` or, with a trailing `*`, every path beginning so.
    public init(stringLiteral value: String) { self.init(value) }

    /// `"/path"`, `"POST /path"` or, with a trailing `*`, every path beginning so.
    public init(_ text: String, grantType: String? = nil) {
      self.text = text
      self.grantType = grantType
    }

    /// The RFC 8414 document.
    public static let metadata: Endpoint = "GET /.well-known/oauth-authorization-server*"
    /// Client registration.
    public static let registration: Endpoint = "POST /oauth2/register"
    /// Client configuration.
    public static let clientConfiguration: Endpoint = "/oauth2/clients/*"
    /// Every token request.
    public static let tokens: Endpoint = "POST /oauth2/tokens"
    /// Token requests that redeem a code.
    public static let exchange = Endpoint("POST /oauth2/tokens", grantType: "authorization_code")
    /// Requests for the codes of a device.
    public static let deviceAuthorization: Endpoint = "POST /oauth2/device_authorization"
    /// Token requests of a device.
    public static let deviceTokens = Endpoint(
      "POST /oauth2/tokens", grantType: DeviceCode.grantType)
    /// Token requests that refresh.
    public static let refresh = Endpoint("POST /oauth2/tokens", grantType: "refresh_token")
    /// Revocation.
    public static let revocation: Endpoint = "POST /oauth2/revoke"
    /// The account behind a token.
    public static let account: Endpoint = "GET /api/v2/users/me"

    func matches(_ request: Request) -> Bool {
      var pattern = text[...]
      if let blank = pattern.firstIndex(of: " ") {
        guard pattern[..<blank] == request.method else { return false }
        pattern = pattern[pattern.index(after: blank)...]
      }
      if let grantType, request.form["grant_type"] != grantType { return false }
      return pattern.hasSuffix("*")
        ? request.path.hasPrefix(pattern.dropLast()) : request.path == pattern
    }
  }
}

/// A fault and how often it still happens.
struct PlannedFault: Sendable {
  var fault: DeploymentSimulator.Fault
  var endpoint: DeploymentSimulator.Endpoint
  var remaining: Int
  var afterActing: Bool
  /// The releases that had happened when the fault was planned.
  let generation: Int
}

extension ServerState {
  /// The first fault planned for this request, used up by one.
  mutating func takeFault(_ request: Request) -> PlannedFault? {
    guard let index = faults.firstIndex(where: { $0.endpoint.matches(request) }) else { return nil }
    let planned = faults[index]
    if planned.remaining <= 1 {
      faults.remove(at: index)
    } else {
      faults[index].remaining -= 1
    }
    return planned
  }
}
