/// The version of the program, one for all its parts.
public enum Version {
  /// As people know it, such as `1.2.3`.
  public static let number = "0.1.0"

  /// The environment variable in which the door tells the engine its version.
  public static let variable = "CODER_CRED_DOOR"
}
