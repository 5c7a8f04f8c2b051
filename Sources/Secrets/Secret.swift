/// A value that must never be shown: a token, a password, a client secret.
///
/// Printing, interpolating, dumping or mirroring a `Secret` shows `<redacted>`. The bytes leave it
/// only through ``revealed``, which appears in few places: request bodies and headers on their way
/// to the deployment, the answer on standard output, and the stored payload.
public struct Secret: Sendable, Hashable {
  /// The secret itself. Every use is a place where it leaves our hands.
  public let revealed: String

  public init(_ value: String) {
    self.revealed = value
  }

  /// Compares without leaving a trace of where two secrets of one length differ.
  public static func == (lhs: Secret, rhs: Secret) -> Bool {
    let left = lhs.revealed.utf8
    let right = rhs.revealed.utf8
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
  }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "<redacted>" }
  public var debugDescription: String { "<redacted>" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
