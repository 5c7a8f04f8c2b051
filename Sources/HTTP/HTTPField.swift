/// One header field: a name, compared without regard to case, and its value.
public struct HTTPField: Sendable, Equatable {
  /// The field's name as written.
  public let name: String
  /// The field's value, without surrounding blanks.
  public let value: String

  /// Makes a field from a name and a value.
  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}
