import CCurl
import Secrets

@testable import Basics
@testable import Credentials
@testable import HTTP

extension FuzzTarget {
  /// What git and others write to our standard input.
  static let gitRequest = FuzzTarget(name: "git-request", maximumBytes: 70_000) { bytes in
    guard let request = try? CredentialRequest(parsing: bytes) else { return }
    expectCanonical(request.deployment)
    expectStorable(request.place)
    if let username = request.username {
      expect(!username.utf8.contains { $0 < 0x20 || $0 == 0x7F }, "a user name is one line")
    }
    // What a request tells to keep is kept, and given back as it came.
    let now: Int64 = 1_700_000_000
    guard let session = request.session(now: now) else { return }
    expect(request.isKept(session, in: session), "what is told is what is kept")
    guard let payload = try? session.payload() else { return }
    expectReadable(payload, as: session)
    expectWritable(session)
    // A pre-encoded credential is for those alone who say that they understand it.
    let isUnderstood = session.password != nil || request.understandsAuthtype
    expect(request.isServed(by: session) == isUnderstood, "who tells of it is served")
  }

  /// Every spelling of a server: of people, of tools, of the keyring.
  static let deploymentURL = FuzzTarget(name: "deployment-url", maximumBytes: 1024) { bytes in
    let text = bytes.text
    if let deployment = try? Deployment(url: text) {
      expectCanonical(deployment)
      expectSameToLibcurl(deployment)
      expect((try? Deployment(server: text)) == deployment, "a URL is a server's as well")
    }
    if let deployment = try? Deployment(server: text) { expectCanonical(deployment) }
    if let place = try? Deployment(storedURL: text) {
      expect(place.url == text, "a stored URL stands for itself")
    }
    // The first line as git's host, the second as its path.
    let parts = bytes.split(separator: 0x0A, maxSplits: 1)
    if parts.count == 2,
      let named = try? Deployment.named(
        scheme: "https", authority: parts[0].text, decodedPath: Array(parts[1]))
    {
      expectCanonical(named.deployment)
      expectStorable(named.place)
    }
    let words = text.split(separator: " ", maxSplits: 1)
    if words.count == 2, let owner = try? Deployment(url: "https://dev.example.com"),
      let hosts = ApplicationHosts(String(words[0]), of: owner),
      let url = try? Deployment(url: String(words[1])), hosts.contain(url)
    {
      expect(url.server != owner.server, "an application's host is not the deployment's")
    }
  }
}

/// A deployment has one spelling, which reads as itself and holds nothing that could end a line or a
/// field, or mean something to a shell.
func expectCanonical(_ deployment: Deployment) {
  expectStorable(deployment)
  // Only what is no web server may be without a host of ASCII.
  guard !deployment.host.isEmpty, deployment.host.utf8.allSatisfy({ $0 < 0x80 }) else { return }
  // A longer one cannot be named on a command line, and that is cargo's way to name another.
  guard deployment.url.utf8.count <= 4096, !deployment.url.hasPrefix("sparse+") else { return }
  let again = expectNoError("\(deployment.url) can be read") { try Deployment(url: deployment.url) }
  expect(again == deployment && again.url == deployment.url, "\(deployment.url) is canonical")
  expect(
    deployment.url.utf8.allSatisfy {
      (0x21...0x7E).contains($0) && !"'\"\\$`;&|<>".utf8.contains($0)
    },
    "\(deployment.url) means nothing to a shell")
  for parent in deployment.withParents {
    expect(deployment.url.hasPrefix(parent.url), "\(parent.url) contains \(deployment.url)")
    expect((try? Deployment(url: parent.url)) == parent, "\(parent.url) is canonical")
  }
}

/// What something is stored under is read again as the same, and is one line.
func expectStorable(_ place: Deployment) {
  expect(!place.url.utf8.contains { $0 < 0x20 || $0 == 0x7F }, "\(place.url) is one line")
  let again = expectNoError("\(place.url) can be read from the keyring") {
    try Deployment(storedURL: place.url)
  }
  expect(again.url == place.url, "\(place.url) is stored under one name")
}

/// What we take for the server is what libcurl connects to.
func expectSameToLibcurl(_ deployment: Deployment) {
  guard deployment.isHTTP, (try? CurlLibrary.load()) != nil,
    let parsed = ParsedURL(deployment.url), let host = parsed.part(CURLUPART_HOST)
  else { return }
  let path = parsed.part(CURLUPART_PATH) ?? ""
  expect(path == deployment.path || path == "/" && deployment.path.isEmpty, "\(path) is the path")
  expect(parsed.part(CURLUPART_USER) == nil, "there is no user in \(deployment.url)")
  expect(
    parsed.part(CURLUPART_PORT) == deployment.port.map(String.init), "the port of \(deployment.url)"
  )
  // libcurl writes numbers such as 0x7f.1 and 2130706433 as the address that they are.
  if host != deployment.host {
    let isNumber = deployment.host.utf8.allSatisfy {
      PercentEncoding.hexDigit($0) != nil || "x.[]:".utf8.contains($0)
    }
    expect(isNumber, "\(host) is the host of \(deployment.url)")
    expect(
      !deployment.isLoopback || Loopback.contains(host: host),
      "\(host) is this machine, as \(deployment.host) is")
  }
}
