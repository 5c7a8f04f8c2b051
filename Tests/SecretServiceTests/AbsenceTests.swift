import Foundation
import SecretService
import Secrets
import TestDesk
import Testing

@Suite struct `When something is missing` {
  @Test func `No bus is unavailable`() throws {
    let session = try PrivateDesktop(.withoutBus)
    #expect(isUnavailable(failure { try session.service() }))
  }

  @Test(arguments: ["", "nonsense", "unix:path=/nonexistent/bus", "tcp:host=127.0.0.1,port=1"])
  func `An address that leads nowhere is unavailable`(_ address: String) throws {
    #expect(isUnavailable(failure { try SecretService(busAddress: address, timeoutSeconds: 5) }))
  }

  @Test func `A bus without a Secret Service is unavailable`() throws {
    let session = try PrivateDesktop(.withoutService)
    let taken = seconds {
      #expect(isUnavailable(failure { try session.service() }))
    }
    #expect(taken < 5)
  }

  @Test func `The bus starts a service it knows`() throws {
    let services = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: services) }
    let entry = """
      [D-BUS Service]
      Name=org.freedesktop.secrets
      Exec=/usr/bin/gnome-keyring-daemon --start --foreground --components=secrets
      """
    try Data(entry.utf8).write(to: URL(fileURLWithPath: "\(services)/secrets.service"))
    let session = try PrivateDesktop(.withoutService, activation: services)
    #expect(try session.service().defaultCollectionState() == .absent)
  }

  @Test func `Without a default collection nothing is found and nothing can be stored`() throws {
    let session = try PrivateDesktop(.withoutCollection)
    let service = try session.service()
    #expect(try service.defaultCollectionState() == .absent)
    #expect(try service.search(ours).isEmpty)
    let error = failure { try service.store(Secret("t"), label: "l", attributes: ours) }
    #expect(isUnavailable(error))
    #expect(isUnavailable(failure { try service.unlock(timeoutSeconds: 5) }))
  }

  @Test func `A bus that accepts and never answers is timed out`() throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let listener = try silentSocket("\(directory)/bus")
    defer { close(listener) }
    let taken = seconds {
      let error = failure {
        try SecretService(busAddress: "unix:path=\(directory)/bus", timeoutSeconds: 1)
      }
      #expect(error == .timedOut)
    }
    #expect(taken < 8)
  }

  @Test func `A daemon that was killed is unavailable, and a new connection recovers`() throws {
    let session = try PrivateDesktop(.unlocked)
    let service = try session.service()
    try service.store(Secret("t"), label: "l", attributes: sessionAttributes())
    let item = try #require(try service.search(ours).first)
    session.stopKeyring()
    expectGone(service, item)
    try session.restartKeyring()
    // The successor is another program: what we knew of the first says nothing about it.
    expectGone(service, item)
    let next = try session.service()
    #expect(try next.secret(of: #require(try next.search(ours).first)) == Secret("t"))
  }

  @Test func `The bus going away ends the connection, not the process`() throws {
    let session = try PrivateDesktop(.unlocked)
    let service = try session.service()
    try service.store(Secret("t"), label: "l", attributes: sessionAttributes())
    let item = try #require(try service.search(ours).first)
    session.tearDown()
    expectGone(service, item)
  }

  private func expectGone(_ service: SecretService, _ item: Item) {
    #expect(isUnavailable(failure { try service.search(ours) }))
    #expect(isUnavailable(failure { try service.secret(of: item) }))
    #expect(isUnavailable(failure { try service.secrets(of: [item]) }))
    #expect(
      isUnavailable(failure { try service.store(Secret("x"), label: "x", attributes: ours) }))
    #expect(isUnavailable(failure { try service.delete(item) }))
    #expect(isUnavailable(failure { try service.unlock(timeoutSeconds: 2) }))
    #expect(isUnavailable(failure { try service.defaultCollectionState() }))
  }

  private func temporaryDirectory() throws -> String {
    var template = Array(("/tmp/cc-" + String(repeating: "X", count: 6)).utf8CString)
    try #require(mkdtemp(&template) != nil)
    return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// A Unix socket whose backlog takes connections that nobody ever accepts.
  private func silentSocket(_ path: String) throws -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    try #require(descriptor >= 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(bound == 0 && listen(descriptor, 8) == 0)
    return descriptor
  }
}
