import Foundation
import Glibc
import Synchronization

/// The listening socket, its accepting thread and the connections being served.
final class Server: Sendable {
  private struct Open {
    var descriptors: Set<Int32> = []
    var isStopped = false
  }

  private let listener: Socket
  private let open = Mutex(Open())
  let port: Int

  init(host: String, port: Int) throws(DeploymentSimulator.StartFailure) {
    guard let socket = Self.listen(host, port) else { throw .cannotListen(errno: errno) }
    _ = fcntl(socket.descriptor, F_SETFL, O_NONBLOCK)
    listener = socket
    self.port = socket.port
  }

  /// Ports for who names none, each handed out once, below those that Linux gives away
  /// (`ip_local_port_range`): what a server had that was stopped is nobody else's afterwards.
  private static let unassigned = Mutex((10_000..<20_000).shuffled())

  private static func listen(_ host: String, _ port: Int) -> Socket? {
    while port == 0, let candidate = unassigned.withLock({ $0.popLast() }) {
      if let socket = Socket.open(host: host, port: candidate, bound: true) { return socket }
      guard errno == EADDRINUSE else { return nil }
    }
    return Socket.open(host: host, port: port, bound: true)
  }

  var isStopped: Bool { open.withLock { $0.isStopped } }

  func start(_ serve: @escaping @Sendable (Socket) -> Void) {
    let thread = Thread { [self] in accept(serve) }
    thread.name = "deployment"
    thread.start()
  }

  private func accept(_ serve: @escaping @Sendable (Socket) -> Void) {
    while true {
      var entry = pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0)
      if poll(&entry, 1, -1) < 0 && errno != EINTR { break }
      if isStopped { break }
      let descriptor = Glibc.accept(listener.descriptor, nil, nil)
      if descriptor < 0 {
        // Out of descriptors: connections wait in the backlog until others end.
        usleep(2000)
        continue
      }
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
      open.withLock { _ = $0.descriptors.insert(descriptor) }
      let thread = Thread { [self] in
        serve(Socket(descriptor: descriptor))
        // Also ends a copy that a child process may have inherited.
        shutdown(descriptor, Int32(SHUT_RDWR))
        open.withLock { _ = $0.descriptors.remove(descriptor) }
        close(descriptor)
      }
      thread.stackSize = 1 << 20
      thread.start()
    }
    close(listener.descriptor)
  }

  /// Stops listening, ends every open connection and waits for them, at most two seconds.
  func stop() {
    let first = open.withLock { state in
      guard !state.isStopped else { return false }
      // On Linux this wakes a thread that polls a listening socket. Whoever sees that it is stopped closes
      // the socket, whose number may be another's at once.
      shutdown(listener.descriptor, Int32(SHUT_RDWR))
      state.isStopped = true
      for descriptor in state.descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
      return true
    }
    guard first else { return }
    let deadline = Socket.clock() + 2
    while Socket.clock() < deadline, open.withLock({ !$0.descriptors.isEmpty }) { usleep(1000) }
  }
}
