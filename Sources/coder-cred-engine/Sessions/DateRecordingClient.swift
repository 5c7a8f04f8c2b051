import Credentials
import HTTP

/// An HTTP client that looks at the server's clock in passing (RFC 9110 §6.6.1 `Date`).
final class DateRecordingClient: HTTPClient {
  /// How far two clocks may lie apart before it is worth a word, in seconds.
  static let tolerance: Int64 = 600

  private let client: any HTTPClient
  /// The server's time, in Unix seconds.
  private(set) var time: Int64?

  init(client: any HTTPClient) {
    self.client = client
  }

  func send(_ request: HTTPRequest) throws(HTTPError) -> HTTPResponse {
    let response = try client.send(request)
    time = response.header("Date").flatMap { HTTPDate.seconds($0, now: WallClock.now()) }
    return response
  }

  /// Says so when this machine's clock is far from the deployment's. Tokens do not suffer, since
  /// their lives are counted from our own clock; but everything else on this machine may.
  func warn(_ deployment: Deployment, now: Int64) {
    guard let difference = time.flatMap({ Self.difference(ours: now, theirs: $0) }) else { return }
    Terminal.say(
      "coder-cred: warning: this machine's clock is \(difference) that of \(deployment.url)")
  }

  /// How far our clock is off, in words; nil within ``tolerance``.
  static func difference(ours: Int64, theirs: Int64) -> String? {
    let (ahead, overflow) = ours.subtractingReportingOverflow(theirs)
    let distance = ahead.magnitude
    guard overflow || distance > UInt64(tolerance) else { return nil }
    let amount =
      switch distance {
      case ..<7_200: "\(distance / 60) minutes"
      case ..<172_800: "\(distance / 3600) hours"
      default: "\(distance / 86_400) days"
      }
    return "\(amount) \(ours > theirs ? "ahead of" : "behind")"
  }
}
