import Secrets

/// Which programs on loopback are spoken to without encryption: our own user's and root's.
enum LoopbackServer {
  /// Why a connected server on loopback gets no request; nil when it may have one.
  ///
  /// A server whose user cannot be told is refused too: there is no `/proc`, or the server is not in
  /// our network namespace (a container or a virtual machine behind address translation).
  /// `TransportSettings.allowsPlainHTTP` is the way around.
  static func refusal(
    address: String, port: Int32, ourAddress: String, ourPort: Int32
  ) -> HTTPError? {
    guard let port = UInt16(exactly: port), let ourPort = UInt16(exactly: ourPort),
      let server = TCPEndpoint(address: address, port: port),
      let local = TCPEndpoint(address: ourAddress, port: ourPort),
      let user = LoopbackPeer.userOfServer(at: server, from: local)
    else {
      return .refusedURL(
        reason: "it cannot be told which user serves \(address) port \(port) without encryption")
    }
    guard !LoopbackPeer.isSelfOrRoot(user) else { return nil }
    return .refusedURL(
      reason: "\(address) port \(port) is served without encryption by another user of this"
        + " machine (uid \(user))")
  }
}
