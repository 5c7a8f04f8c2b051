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
    serverTime = response.header("Date").flatMap(Self.seconds)
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

  /// RFC 9110 §5.6.7 IMF-fixdate, such as `Sun, 06 Nov 1994 08:49:37 GMT`, in Unix seconds.
  static func seconds(_ date: String) -> Int64? {
    let words = date.utf8.split { [0x20, 0x2C, UInt8(ascii: ":")].contains($0) }.map { String($0) }
    guard date.utf8.count == 29, words.count == 8, words[7] == "GMT",
      let month = months.firstIndex(where: { $0 == words[2] })
    else { return nil }
    let numbers = [1, 3, 4, 5, 6].compactMap { words[$0].flatMap { Int32($0) } }
    guard numbers.count == 5, numbers[1] >= 1900, numbers.allSatisfy({ 0...9999 ~= $0 }) else {
      return nil
    }
    var parts = tm()
    parts.tm_mday = numbers[0]
    parts.tm_mon = Int32(month)
    parts.tm_year = numbers[1] - 1900
    (parts.tm_hour, parts.tm_min, parts.tm_sec) = (numbers[2], numbers[3], numbers[4])
    return Int64(timegm(&parts))
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]
}
