import SecretService

/// Names on the bus over which this process reaches the keyring.
extension KeyringSessionStore: BusNames {
  package func claim(_ name: String) throws(StoreError) -> BusNameClaim {
    let claim: NameClaim
    do throws(SecretServiceError) {
      claim = try connected(claiming: name).claimName(name)
    } catch {
      throw .keyring(error)
    }
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
