import Secrets

/// What happens between connecting and sending: libcurl calls back once the connection stands, TLS
/// and a proxy's tunnel included and kept connections too, before anything of the request is sent.
///
/// Without TLS nothing but its user tells a deployment on loopback from a program that took its
/// port. So only programs of our own user and of root are sent anything there.
final class ConnectionCheck {
  private let refusesOtherUsers: Bool
  /// Whether there was a connection that the request could be sent on.
  private(set) var isConnected = false
  /// Why nothing was sent although there was a connection.
  private(set) var refusal: HTTPError?

  /// - Parameter refusesOtherUsers: whether the server must run as our own user or root.
  init(refusesOtherUsers: Bool) {
    self.refusesOtherUsers = refusesOtherUsers
  }

  /// Takes both ends of a connection; false stops the transfer.
  func connected(
    to address: String, port: Int32, from ourAddress: String, port ourPort: Int32
  ) -> Bool {
    if refusesOtherUsers {
      refusal = Self.refusal(address, port, ourAddress, ourPort)
    }
    isConnected = refusal == nil
    return isConnected
  }

  /// Why a server gets no request; nil when it may have one.
  ///
  /// A server whose user cannot be told is refused too: there is no `/proc`, or the server is not in
  /// our network namespace (a container or a virtual machine behind address translation).
  /// ``TransportSettings/allowsPlainHTTP`` allows both.
  private static func refusal(
    _ address: String, _ port: Int32, _ ourAddress: String, _ ourPort: Int32
  ) -> HTTPError? {
    guard let port = UInt16(exactly: port), let ourPort = UInt16(exactly: ourPort),
      let server = TCPEndpoint(address: address, port: port),
      let local = TCPEndpoint(address: ourAddress, port: ourPort),
      let user = LoopbackPeer.userOfServer(at: server, from: local)
    else {
      return .foreignServer(
        reason: "it cannot be told which user of this machine serves \(address) port \(port)")
    }
    guard !LoopbackPeer.isSelfOrRoot(user) else { return nil }
    return .foreignServer(
      reason: "\(address) port \(port) is served by another user of this machine (uid \(user))")
  }
}
