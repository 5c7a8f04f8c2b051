import Foundation
import TestDesk
import Testing

/// A server that a tool talks to and that wants a secret: `fake-server.py`.
struct FakeServer {
  /// What it serves.
  enum Kind: String {
    /// A container registry, which wants a password of the user `bob`.
    case docker
    /// A sparse index of crates with one of them, `greeting`.
    case sparse
    /// A proxy of Go modules with one of them, `example.com/greeting`, over TLS.
    case goproxy
    /// An AI Gateway and an MCP server, for Claude Code.
    case anthropic
    /// An AI Gateway for Codex.
    case openai
  }

  /// The secret that it wants, which holds the desk's canary.
  let secret: String
  /// Its address.
  let url: String
  private let log: String

  /// Its host and port.
  var name: String { String(url.split(separator: "/")[1]) }

  /// Starts one, which ends with the desk.
  init(_ kind: Kind, _ desk: Desk, secret: String? = nil) throws {
    self.secret = secret ?? desk.plant()
    log = "\(desk.directory)/\(kind.rawValue).log"
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("fake-server.py").path
    var arguments = [script, kind.rawValue]
    if kind == .goproxy { arguments += try Self.certificate(desk) }
    let server = try desk.desktop.start(
      "python3", arguments, environment: ["SECRET": self.secret], log: log)
    let log = log
    func lines() -> [Substring] {
      String(decoding: FileManager.default.contents(atPath: log) ?? Data(), as: UTF8.self)
        .split(separator: "\n", omittingEmptySubsequences: false)
    }
    waitFor("the port of the fake server") { lines().count > 1 || server.exit != nil }
    let port = try #require(lines().first.flatMap { Int($0) }, "\(server.logText)")
    url = kind == .goproxy ? "https://localhost:\(port)" : "http://127.0.0.1:\(port)"
  }

  /// What was asked of it so far with the secret, or without.
  func requests(accepted: Bool) throws -> [String] {
    let word = accepted ? "accepted " : "refused "
    return try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
      .filter { $0.hasPrefix(word) }.map { String($0.dropFirst(word.count)) }
  }

  /// The certificate of its server over TLS, which is its own authority.
  static func certificatePath(_ desk: Desk) -> String { "\(desk.directory)/certificate.pem" }

  private static func certificate(_ desk: Desk) throws -> [String] {
    let files = [certificatePath(desk), "\(desk.directory)/key.pem"]
    let made = try desk.run(
      "openssl",
      [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-out",
        files[0], "-keyout", files[1],
      ])
    try #require(made.status == 0, "\(made.stderr)")
    return files
  }
}
