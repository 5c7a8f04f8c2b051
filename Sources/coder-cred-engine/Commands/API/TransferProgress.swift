import Sessions
import Synchronization

/// How far a transfer is, for a line on the terminal: bytes, share, rate, time left.
final class TransferProgress: Sendable {
  /// Which way the bytes go.
  enum Direction: String {
    case sending = "Sending"
    case receiving = "Receiving"
  }

  private struct State {
    var direction: Direction?
    var startMilliseconds = SystemClock().uptimeMilliseconds
    var bytes = 0
    var total: Int?
  }

  private let place: String
  private let state = Mutex(State())

  /// Nothing has gone to or come from a place yet.
  init(of place: String) {
    self.place = place
  }

  /// Bytes begin to go one way, so many of them if that is known.
  func begin(_ direction: Direction, bytes total: Int?) {
    state.withLock { $0 = State(direction: direction, total: total) }
  }

  /// So many bytes more have gone.
  func add(_ count: Int) {
    state.withLock { $0.bytes += count }
  }

  /// The line.
  var text: String {
    let state = state.withLock { $0 }
    let elapsed = max(1, SystemClock().uptimeMilliseconds - state.startMilliseconds)
    guard let direction = state.direction, state.bytes > 0 else {
      return "Waiting for \(place) … \(elapsed / 1000) s"
    }
    return Self.line(
      direction.rawValue, bytes: state.bytes, total: state.total, milliseconds: elapsed)
  }

  /// What is known of so many bytes in so much time.
  static func line(_ verb: String, bytes: Int, total: Int?, milliseconds: Int64) -> String {
    let rate = Double(bytes) / Double(milliseconds) * 1000
    var parts = ["\(verb) \(amount(Double(bytes)))"]
    if let total, total >= bytes, total > 0 {
      parts[0] += " of \(amount(Double(total))) (\(bytes * 100 / total) %)"
      parts.append("\(amount(rate))/s")
      parts.append("\(time(Double(total - bytes) / rate)) left")
    } else {
      parts.append("\(amount(rate))/s")
    }
    return parts.joined(separator: ", ")
  }

  private static func amount(_ bytes: Double) -> String {
    let units = ["B", "kB", "MB", "GB"]
    var (amount, unit) = (bytes, 0)
    while amount >= 999.95, unit < units.count - 1 {
      amount /= 1000
      unit += 1
    }
    if unit == 0 { return "\(Int(amount)) B" }
    let tenths = Int((amount * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(units[unit])"
  }

  private static func time(_ seconds: Double) -> String {
    switch seconds {
    case ..<120: "\(Int(seconds.rounded(.up))) s"
    case ..<7200: "\(Int(seconds / 60)) min"
    default: "\(Int(min(seconds / 3600, 1_000_000))) h"
    }
  }
}
