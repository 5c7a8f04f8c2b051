import Glibc
import MinimalDBus
import Secrets

@testable import Credentials
@testable import coder_cred

extension FuzzTarget {
  /// Everything that a bus says while the fast path looks for a session.
  ///
  /// The first byte chooses what is asked. If it is even, the bus begins as it should; else what
  /// follows is all that it says.
  static let busConversation = FuzzTarget(name: "bus-conversation", maximumBytes: 8192) { bytes in
    guard let choice = bytes.first, let deployment = try? Deployment(url: "https://h.example/p")
    else { return }
    let greeting = choice & 1 == 0 ? Array("DATA\r\nOK 0123456789abcdef\r\n".utf8) : []
    FakeBus.shared.say(greeting + bytes.dropFirst())
    let account = choice & 2 == 0 ? nil : "alice"
    let searches = ItemIdentity.searches(
      for: choice & 4 == 0 ? deployment.withParents : nil, preferring: account)
    guard
      let found = try? KeyringItem.only(of: searches, preferringFirst: account != nil)
    else { return }
    expect(
      searches.contains { $0.allSatisfy { found.attributes[$0.key] == $0.value } },
      "what is found is what was searched for")
    expect(
      found.secret.revealed.utf8.count <= Payload.maximumBytes, "a secret is no longer than ours")
    guard let url = found.attributes["deployment"], let place = try? Deployment(storedURL: url),
      let session = try? StoredSession(
        payload: found.secret, deployment: place, account: found.attributes["account"] ?? "")
    else { return }
    expectWritable(session)
  }
}

/// A bus that says what it was told to, to one connection after the other, and listens to nothing.
private final class FakeBus: Sendable {
  static let shared = FakeBus()
  /// Where the thread that is the bus takes what it is to say from.
  private let words: Int32

  private init() {
    let name = "coder-cred-fuzz-\(getpid())"
    setenv("DBUS_SESSION_BUS_ADDRESS", "unix:abstract=\(name)", 1)
    let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0[1...].copyBytes(from: name.utf8) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.utf8.count)
    let isBound = withUnsafePointer(to: address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, length) == 0 }
    }
    expect(isBound && listen(listener, 8) == 0, "a socket can be listened on")
    var ends: (Int32, Int32) = (0, 0)
    withUnsafeMutableBytes(of: &ends) {
      _ = socketpair(
        AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, $0.bindMemory(to: Int32.self).baseAddress)
    }
    words = ends.0
    var thread = pthread_t()
    let worker = Worker(listener: listener, reading: ends.1)
    let status = pthread_create(
      &thread, nil,
      { context in
        if let context {
          Unmanaged<Worker>.fromOpaque(context).takeRetainedValue().run()
        }
        return nil
      }, Unmanaged.passRetained(worker).toOpaque())
    expect(status == 0, "a thread can be started")
  }

  /// What is said to the next connection.
  func say(_ bytes: [UInt8]) { _ = send(words, bytes, bytes.count, 0) }

  private final class Worker {
    private let listener: Int32
    private let reading: Int32

    init(listener: Int32, reading: Int32) {
      self.listener = listener
      self.reading = reading
    }

    func run() {
      var words = [UInt8](repeating: 0, count: 16 << 10)
      while true {
        let count = recv(reading, &words, words.count, 0)
        guard count >= 0 else { return }
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { return }
        _ = send(connection, words, count, Int32(MSG_NOSIGNAL))
        shutdown(connection, Int32(SHUT_WR))
        var heard = [UInt8](repeating: 0, count: 4096)
        while recv(connection, &heard, heard.count, 0) > 0 {}
        close(connection)
      }
    }
  }
}
