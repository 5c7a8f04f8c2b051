import SecretService

/// Names on the bus over which this process reaches the keyring.
extension KeyringSessionStore: BusNames {
  package func claim(_ name: String) throws(StoreError) -> BusNameClaim {
    let claim = try reading { service throws(SecretServiceError) in try service.claimName(name) }
    return switch claim {
    case .owned: .owned
    case .taken(let holder): .taken(by: holder)
    case .refused: .refused
    }
  }

  package func release(_ name: String) {
    try? reading { service throws(SecretServiceError) in service.releaseName(name) }
  }
}
