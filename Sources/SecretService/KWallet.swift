/// KWallet's own interface, for what its Secret Service does not tell or do.
struct KWallet: Sendable {
  let busName: String
  let path: String

  static let kwalletd5 = KWallet(busName: "org.kde.kwalletd5", path: "/modules/kwalletd5")
  static let kwalletd6 = KWallet(busName: "org.kde.kwalletd6", path: "/modules/kwalletd6")
  static let ksecretd = KWallet(busName: "org.kde.ksecretd", path: "/ksecretd")

  /// The name by which KWallet's Secret Service opens wallets: a wallet that it has open is open for
  /// this name without a question.
  private static let secretServiceApplication = ""

  /// Whether a wallet is open, so that unlocking its collection asks nobody.
  func isOpen(_ wallet: String, on connection: ServiceConnection) throws(SecretServiceError) -> Bool
  {
    if case .bool(true) = try connection.call(method("isOpen", "(b)"), [.string(wallet)]) {
      true
    } else {
      false
    }
  }

  /// Has a wallet written to its file now; it is when this returns.
  func write(_ wallet: String, on connection: ServiceConnection) throws(SecretServiceError) {
    let application = ServiceConnection.Value.string(Self.secretServiceApplication)
    guard try isOpen(wallet, on: connection),
      case .int32(let handle) = try connection.call(
        method("open", "(i)"), [.string(wallet), .int64(0), application]), handle >= 0
    else { return }
    // Calls are taken in order: the reply to the next one comes after this one is done.
    connection.send(method("sync", "()"), [.int32(handle), application])
    _ = try isOpen(wallet, on: connection)
  }

  private func method(_ name: String, _ reply: String) -> ServiceConnection.BusMethod {
    ServiceConnection.BusMethod(
      name: busName, path: path, interface: "org.kde.KWallet", method: name, reply: reply)
  }
}
