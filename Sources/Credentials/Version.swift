/// The version of the program, one for all its parts.
public enum Version {
  /// As people know it, such as `1.2.3`.
  public static let number = "0.1.0"

  /// The environment variable in which the fast path tells the full program its version.
  public static let variable = "CODER_CRED_FAST_PATH_VERSION"
}
