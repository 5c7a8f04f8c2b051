/// Input that cannot be used, with a reason that repeats nothing of a secret value.
public enum MalformedInput: Error, Equatable, Sendable {
  /// A request on standard input that breaks the git-credential format.
  case request(reason: String)
  /// A URL, or a pair of protocol and host, that names no deployment.
  case url(reason: String)
  /// A stored payload that is not ours, or not whole.
  case payload(reason: String)
  /// A stored payload written by a newer version of this program.
  case newerPayload(version: Int64)
  /// A settings file that cannot be trusted or read.
  case settings(reason: String)
  /// A value that would break the format it is written in.
  case unwritable(reason: String)
}
