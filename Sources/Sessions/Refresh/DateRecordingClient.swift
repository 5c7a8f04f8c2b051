import Basics
import Glibc
import HTTP

/// An HTTP client that notes the server's clock in passing (RFC 9110 §6.6.1 `Date`).
final class DateRecordingClient: HTTPClient {
  /// How far two clocks may lie apart before a person is told, in seconds.
  static let toleranceSeconds: Int64 = 600

  private let client: any HTTPClient
  /// The server's time, in Unix seconds.
  private var serverTime: Int64?

  init(client: any HTTPClient) {
    self.client = client
  }

  func send(_ request: HTTPRequest) throws(HTTPError) -> HTTPResponse {
    let response = try client.send(request)
    serverTime = response.header("Date").flatMap { HTTPDate.seconds($0, now: Int64(time(nil))) }
    return response
  }

  /// How many seconds our clock, which shows `now`, is ahead of the server's; negative when it is
  /// behind, nil within ``toleranceSeconds`` or when the server named no time.
  ///
  /// Tokens do not suffer from a difference, since their lives are counted from our own clock; but
  /// everything else on this machine may.
  func clockDifferenceSeconds(now: Int64) -> Int64? {
    guard let serverTime else { return nil }
    let (ahead, overflow) = now.subtractingReportingOverflow(serverTime)
    if overflow { return now > serverTime ? .max : .min }
    return ahead.magnitude > UInt64(Self.toleranceSeconds) ? ahead : nil
  }
}
