import Foundation
import Glibc
import HTTP
import TestDesk
import Testing

/// Real servers for the tests within ``WireTests``: nginx with several certificates.
final class Servers: Sendable {
  @TaskLocal static var current: Servers?

  let certificates: Certificates
  /// The port of each nginx server by its name.
  let ports: [String: UInt16]
  private let nginx: ChildProcess

  /// Makes the certificates and starts nginx; throws unless it serves soon.
  init(in folder: URL) throws {
    let certificates = try Certificates(in: folder)
    let names = ["valid", "expired", "elsewhere", "mutual"]
    let sockets = try names.map { _ in try BoundSocket(listening: true) }
    defer { sockets.forEach { close($0.descriptor) } }
    let ports = Dictionary(uniqueKeysWithValues: zip(names, sockets.map(\.port)))
    let servers = names.map { name in
      let file = certificates.path(name == "mutual" ? "valid" : name)
      let mutual = """
        ssl_verify_client optional_no_ca;
        ssl_client_certificate \(certificates.path("ca.pem"));
        """
      return """
        server {
          listen 127.0.0.1:\(ports[name] ?? 0) ssl http2;
          ssl_certificate \(file).pem;
          ssl_certificate_key \(file).key;
          \(name == "mutual" ? mutual : "")
          add_header X-Server \(name);
          return 200 "$server_protocol $ssl_protocol $request_method $ssl_client_verify";
        }
        """
    }
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map { "\($0)_temp_path \(certificates.path($0));" }
    let configuration = """
      daemon off;
      worker_processes 1;
      pid \(certificates.path("nginx.pid"));
      error_log \(certificates.path("nginx-error.log"));
      events { worker_connections 64; }
      http {
        access_log off;
        ssl_protocols TLSv1.2 TLSv1.3;
        \(temporary.joined(separator: "\n"))
        \(servers.joined(separator: "\n"))
      }
      """
    let file = certificates.path("nginx.conf")
    try configuration.write(toFile: file, atomically: true, encoding: .utf8)
    nginx = try Self.startNginx(file, sockets, folder)
    self.certificates = certificates
    self.ports = ports
  }

  /// Hands nginx our listening sockets, as it does itself when it is upgraded: no port is guessed.
  private static func startNginx(_ file: String, _ sockets: [BoundSocket], _ folder: URL) throws
    -> ChildProcess
  {
    // The descriptors it inherits are 3, 4, and so on.
    let inherited = sockets.indices.map { "\(3 + $0);" }.joined()
    let child = try ChildProcess.start(
      "nginx", ["-e", folder.path + "/nginx-error.log", "-p", folder.path, "-c", file],
      environment: ChildProcess.plainEnvironment.merging(["NGINX": inherited]) { $1 },
      log: folder.appendingPathComponent("nginx.out").path,
      inheriting: sockets.map(\.descriptor))
    let isServing = eventually {
      FileManager.default.fileExists(atPath: folder.path + "/nginx.pid")
    }
    if !isServing { child.end() }
    let log = try? String(contentsOfFile: folder.path + "/nginx-error.log", encoding: .utf8)
    try #require(isServing, "nginx does not serve: \(child.logText)\(log ?? "")")
    return child
  }

  func end() {
    nginx.end()
  }

  /// The address of one of the servers.
  func url(_ name: String, host: String = "localhost", _ path: String = "/?\(canary)") -> String {
    "https://\(host):\(ports[name] ?? 0)\(path)"
  }

  /// Settings that trust the test's authority, with more variables if given.
  func trusting(_ environment: [String: String] = [:]) -> TransportSettings {
    var trusting = settings(environment)
    trusting.caFile = certificates.path("ca.pem")
    return trusting
  }
}

/// Runs a suite with ``Servers/current`` set, and ends the servers after its last test.
struct ServersTrait: SuiteTrait, TestScoping {
  func provideScope(
    for test: Test, testCase: Test.Case?,
    performing function: @Sendable () async throws -> Void
  ) async throws {
    let folder = try Certificates.makeFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let servers = try Servers(in: folder)
    defer { servers.end() }
    try await Servers.$current.withValue(servers, operation: function)
  }
}

extension Trait where Self == ServersTrait {
  static var servers: Self { Self() }
}

/// Everything that needs the real servers.
@Suite(.servers, .timeLimit(.minutes(5))) struct WireTests {}
