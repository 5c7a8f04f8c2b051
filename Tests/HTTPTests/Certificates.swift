import Foundation
import TestDesk
import Testing

/// Two authorities and what they signed, made with the openssl program.
struct Certificates: Sendable {
  let folder: URL

  /// A new folder for one test's files.
  static func makeFolder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("http-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    return folder
  }

  /// Makes everything in the folder.
  init(in folder: URL) throws {
    self.folder = folder
    for authority in ["ca", "other-ca"] {
      try openssl(
        ["req", "-x509", "-days", "2", "-subj", "/CN=\(authority) of a test"]
          + newKey + ["-keyout", path("\(authority).key"), "-out", path("\(authority).pem")])
    }
    // 0.0.0.0 is this machine too, and no loopback address: what goes through a proxy.
    let here = "DNS:localhost,IP:127.0.0.1,IP:0.0.0.0"
    try sign("valid", name: here, by: "ca", days: 2)
    try sign("expired", name: here, by: "ca", days: -1)
    try sign("elsewhere", name: "DNS:elsewhere.example", by: "ca", days: 2)
    try sign("client", name: "email:client@example.com", by: "ca", days: 2)
    try sign("stranger", name: "email:stranger@example.com", by: "other-ca", days: 2)
    try openssl([
      "pkey", "-in", path("client.key"), "-aes128", "-passout", "pass:x",
      "-out", path("client-locked.key"),
    ])
    try openssl(["rehash", folder.path])
  }

  /// A file's path in the folder.
  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  private var newKey: [String] {
    ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
  }

  private func sign(_ name: String, name alternative: String, by authority: String, days: Int)
    throws
  {
    try openssl(
      ["req", "-new", "-subj", "/CN=\(name)", "-addext", "subjectAltName=\(alternative)"]
        + newKey + ["-keyout", path("\(name).key"), "-out", path("\(name).csr")])
    try openssl([
      "x509", "-req", "-in", path("\(name).csr"), "-days", String(days),
      "-copy_extensions", "copy", "-CA", path("\(authority).pem"),
      "-CAkey", path("\(authority).key"), "-set_serial", String(Int.random(in: 1...Int.max)),
      "-out", path("\(name).pem"),
    ])
  }

  private func openssl(_ arguments: [String]) throws {
    let result = try ChildProcess.run("openssl", arguments, directory: folder.path)
    try #require(result.status == 0, "\(arguments): \(result.stderr)")
  }
}
