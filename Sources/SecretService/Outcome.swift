/// What came of one call among several.
///
/// As the standard library's `Result`, without its `Failure`: that makes a program look through the
/// conformances of all of its types, anew at each start, which takes a twentieth of a short command.
public enum Outcome<Value> {
  /// It brought this.
  case success(Value)
  /// It failed, and the others need not have.
  case failure(SecretServiceError)

  /// The value.
  ///
  /// - Throws: the failure.
  public func get() throws(SecretServiceError) -> Value {
    switch self {
    case .success(let value): return value
    case .failure(let error): throw error
    }
  }

  func map<Other>(_ transform: (Value) -> Other) -> Outcome<Other> {
    switch self {
    case .success(let value): .success(transform(value))
    case .failure(let error): .failure(error)
    }
  }
}

extension Outcome: Sendable where Value: Sendable {}
extension Outcome: Equatable where Value: Equatable {}
