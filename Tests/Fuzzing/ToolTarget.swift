import CLinux
import FoundationEssentials
import Glibc
import Secrets

@testable import Credentials
@testable import coder_cred_engine

extension FuzzTarget {
  /// What docker, cargo, bazel, terraform and Go say; the first byte chooses who.
  static let toolInput = FuzzTarget(name: "tool-input") { bytes in
    guard let tool = bytes.first else { return }
    let said = Array(bytes.dropFirst())
    setStandardInput(said)
    var input = ToolInput()
    switch tool % 6 {
    case 0:
      guard let name = try? DockerProtocol.readServer(), let server = try? Deployment(server: name)
      else { return }
      expectKept(server, for: "docker")
      expectDockerAnswer(server, asked: name)
    case 1:
      guard let stored = try? input.json(DockerProtocol.Stored.self), let name = stored.ServerURL,
        let server = try? Deployment(server: name)
      else { return }
      expectKept(server, for: "docker", user: stored.Username ?? "", secret: stored.Secret ?? "")
    case 2:
      guard let request = try? input.json(BazelProtocol.Request.self),
        let server = try? BazelProtocol.server(of: request.uri)
      else { return }
      expectCanonical(server)
    case 3:
      var lines: [[UInt8]] = []
      while let line = try? input.line() { lines.append(line) }
      expect(
        Array(lines.joined(separator: [0x0A])) == (said.last == 0x0A ? said.dropLast() : said),
        "every byte is in a line")
      for line in lines {
        guard
          let request = try? JSONDecoder().decode(CargoProtocol.Request.self, from: Data(line)),
          let server = try? Deployment(server: request.registry.indexURL)
        else { continue }
        expectKept(server, for: "cargo", secret: request.token ?? "")
      }
    case 4:
      let lines = said.split(separator: 0x0A, maxSplits: 1)
      guard let host = lines.first, let server = try? TerraformProtocol.server(named: host.text)
      else { return }
      expect(server.path.isEmpty && server.scheme == "https", "a host has no path")
      expectKept(server, for: "terraform")
    default:
      // Go's words: the URL in GOAUTH, and the one that was refused.
      let words = said.split(separator: 0x20, maxSplits: 1).map(\.text)
      guard words.count == 2, let configured = try? Deployment(url: words[0]),
        let refused = try? Deployment(server: words[1])
      else { return }
      expectCanonical(refused)
      guard refused.withParents.contains(configured) else { return }
      expect(
        refused.url == configured.url || refused.url.hasPrefix(configured.url + "/"),
        "\(refused.url) lies within \(configured.url)")
    }
  }
}

/// What a tool gives us to keep is kept for it alone, and is what it gets back.
private func expectKept(
  _ server: Deployment, for tool: String, user: String = "", secret: String = "secret"
) {
  expectCanonical(server)
  let place = server.kept(for: tool)
  expect(place.scheme == tool && !place.isHTTP, "it is the tool's own")
  expectStorable(place)
  let session = StoredSession(
    deployment: place, account: user, method: .basic, accessToken: Secret(secret))
  guard let payload = try? session.payload() else { return }
  expectReadable(payload, as: session)
  expectWritable(session)
}

/// docker gets the name of the server back as it said it, whatever is in it.
private func expectDockerAnswer(_ server: Deployment, asked name: String) {
  var session = StoredSession(
    deployment: server, account: "alice", method: .oauth, accessToken: "a-token")
  session.expiresAt = 2_000_000_000
  let answer = expectNoError("docker is answered") { try Credential(session).docker(server: name) }
  let object = try? JSONDecoder().decode([String: String].self, from: Data(answer.revealed.utf8))
  expect(
    object == ["ServerURL": name, "Username": "alice", "Secret": "a-token"], "docker reads it back")
}

/// Makes bytes what is read from standard input.
private func setStandardInput(_ bytes: [UInt8]) {
  let file = memfd_create("input", 0)
  defer { close(file) }
  let count = bytes.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
  expect(count == bytes.count && dup2(file, STDIN_FILENO) == STDIN_FILENO, "standard input is ours")
}
