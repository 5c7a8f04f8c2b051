/// When an access token expires.
enum Expiry {
  /// Ten years. Nobody means more, and sums with it cannot overflow what is printed later.
  private static let limit: Int64 = 10 * 365 * 86_400

  /// Unix seconds, after `now` and at most ten years later; nil when the server does not say
  /// anything usable.
  ///
  /// `expires_in` comes first: it counts from our own clock, so a clock that is wrong is wrong on
  /// both sides. `expiry`, which deployments add, counts from theirs.
  static func seconds(_ object: JSONObject, now: Int64) -> Int64? {
    guard let lifetime = lifetime(object["expires_in"]) ?? remainder(object["expiry"], now: now)
    else { return nil }
    let (sum, overflow) = now.addingReportingOverflow(lifetime)
    return overflow ? nil : sum
  }

  /// RFC 6749 §5.1 expires_in: "The lifetime in seconds of the access token."
  private static func lifetime(_ value: JSONValue?) -> Int64? {
    guard let seconds = value?.double, seconds >= 1 else { return nil }
    return Int64(min(seconds, Double(limit)))
  }

  /// What remains until a moment in RFC 3339.
  private static func remainder(_ value: JSONValue?, now: Int64) -> Int64? {
    guard case .string(let text) = value, let moment = Timestamp.seconds(text) else { return nil }
    let (seconds, overflow) = moment.subtractingReportingOverflow(now)
    return !overflow && seconds > 0 ? min(seconds, limit) : nil
  }
}
