import Foundation
import Glibc
import Synchronization

/// A Coder deployment on a loopback address: its OAuth 2 provider and the API around it, in the
/// behaviour of one era, with faults on demand.
public final class DeploymentSimulator: Sendable {
  /// Why a deployment could not start.
  public enum StartFailure: Error {
    /// No socket, or the port is taken.
    case cannotListen(errno: Int32)
  }

  private let server: Server
  let state: Mutex<ServerState>

  /// The address asked, with the base path, without a trailing slash.
  public let url: String

  /// Binds, starts serving and returns.
  ///
  /// - Throws: `StartFailure` when the port cannot be had.
  public init(_ settings: Settings = .init()) throws(StartFailure) {
    server = try Server(host: settings.host, port: settings.port)
    let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
    let address = "http://\(host):\(server.port)"
    var initial = ServerState(settings)
    initial.address = address
    state = Mutex(initial)
    url = address + settings.basePath
    server.start { [weak self] socket in
      guard let self else { return }
      Connection(socket: socket, deployment: self).serve()
    }
  }

  deinit { server.stop() }

  /// Stops serving; open connections are cut.
  public func stop() { server.stop() }

  /// The port served.
  public var port: Int { server.port }

  /// The settings; a change holds from the next request on.
  public var settings: Settings {
    get { state.withLock { $0.settings } }
    set { change { $0 = newValue } }
  }

  /// Changes settings in one step.
  public func change(_ body: (inout Settings) -> Void) {
    state.withLock { state in
      body(&state.settings)
      for name in state.settings.users { state.addUser(name) }
    }
  }

  // MARK: What a connection asks for

  var isStopped: Bool { server.isStopped }

  func admit(_ request: Request) -> (number: Int, planned: PlannedFault?, request: Request) {
    state.withLock { state in
      let routed = state.routed(request)
      let planned = state.takeFault(routed)
      return (state.logArrival(routed, fault: planned?.fault.name), planned, routed)
    }
  }

  func respond(to request: Request) -> Response { state.withLock { $0.respond(to: request) } }

  func note(_ status: Int, of number: Int) { state.withLock { $0.logStatus(status, of: number) } }

  func pause(milliseconds: Int) {
    let end = Socket.clock() + Double(max(0, milliseconds)) / 1000
    while !isStopped {
      let left = end - Socket.clock()
      guard left > 0 else { return }
      usleep(useconds_t(min(left, 0.02) * 1e6))
    }
  }

  func waitForRelease(after generation: Int) {
    while !isStopped, state.withLock({ $0.heldGeneration == generation }) { usleep(1000) }
  }
}
