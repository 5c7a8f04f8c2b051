import Credentials
import Glibc
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
    time = response.header("Date").flatMap(Self.seconds)
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
