import Credentials
import Testing

@Suite struct `A deployment's URL` {
  @Test(arguments: [
    ("dev.coder.com", "https://dev.coder.com"),
    ("https://DEV.Coder.com/", "https://dev.coder.com"),
    ("HTTPS://dev.coder.com:443", "https://dev.coder.com"),
    ("http://localhost:80/", "http://localhost"),
    ("https://dev.coder.com:8443", "https://dev.coder.com:8443"),
    ("https://dev.coder.com:", "https://dev.coder.com"),
    ("https://dev.coder.com//a//b/", "https://dev.coder.com/a/b"),
    ("https://[::1]:8443/coder", "https://[::1]:8443/coder"),
    ("https://h/a%20b/%41", "https://h/a%20b/A"),
    ("https://h/$(id);x", "https://h/%24%28id%29%3Bx"),
    ("dev.coder.com:3000", "https://dev.coder.com:3000"),
    ("https://xn--18j4d/", "https://xn--18j4d"), ("https://h\r", "https://h"),
    (" \t\nhttps://h/x\r\n ", "https://h/x"), ("h\n", "https://h"),
    ("sparse+https://h/index/", "https://h/index"), ("\nsparse+https://h", "https://h"),
  ])
  func `has one spelling`(written: String, canonical: String) throws {
    #expect(try Deployment(url: written).url == canonical)
  }

  @Test(arguments: [
    "", "https://", "https:///x", "//h", "https://h:0", "https://h:65536", "https://h:1x",
    "https://a b", "https://h\u{2028}", "https://ほげ", "https://h\rx", "https://h\n/x", " ",
    "sparse+", "https://[::1",
    "https://[zz]", "https://.h", "https://h/../x", "https://h/%0a", "https://h/%zz",
    "https://u@h", "https://u:p@h", "https://h?x", "https://h#x", "1https://h", "ht tp://h",
    "https://h%0ahost=x",
    "https://" + String(repeating: "a", count: 256), "https://h\u{0}",
    "https://h/" + String(repeating: "a", count: 5000),
  ])
  func `that cannot be one is refused`(text: String) {
    #expect(throws: MalformedInput.self) { try Deployment(url: text) }
  }

  @Test func `keeps scheme, port and path apart`() throws {
    let urls = ["https://h", "http://h", "https://h:8443", "https://h/a", "https://h/b"]
    let deployments = try Set(urls.map { try Deployment(url: $0) })
    #expect(deployments.count == 5)
  }

  @Test(arguments: [
    ("coder.example.com", "coder.example.com.evil.test"),
    ("coder.example.com", "evilcoder.example.com"),
    ("coder.example.com", "coder.example.com."),
    ("coder.example.com", "coder.example.com:444"),
  ])
  func `never equals a look-alike`(host: String, other: String) throws {
    #expect(
      try Deployment(scheme: "https", authority: host)
        != Deployment(scheme: "https", authority: other))
  }

  @Test(arguments: [
    "coder.example.com@evil.test", "h:443@evil", "h/x", "h?x", "h\u{1b}[1A", "h%41",
  ])
  func `takes no host that holds more than a host`(host: String) {
    #expect(throws: MalformedInput.self) { try Deployment(scheme: "https", authority: host) }
  }

  @Test func `serves what lies below it, the nearest first`() throws {
    let deployment = try Deployment(url: "https://h/a/b")
    #expect(deployment.withParents.map(\.url) == ["https://h/a/b", "https://h/a", "https://h"])
  }

  @Test(arguments: [8, 9, 10, 500])
  func `serves what lies however deep below it`(segments: Int) throws {
    let deep = try Deployment(url: "https://h/" + String(repeating: "x/", count: segments))
    let served = deep.withParents.map(\.url)
    #expect(served.first == deep.url && served.suffix(2) == ["https://h/x", "https://h"])
    #expect(served.count <= 10 && Set(served).count == served.count)
  }

  @Test(arguments: [
    ("http://localhost", true), ("http://127.0.0.1:3000", true), ("http://127.9.9.9", true),
    ("http://[::1]", true), ("http://127.0.0.1.evil.test", false), ("http://128.0.0.1", false),
    ("http://127.0.0.256", false), ("http://127..0.1", false), ("http://h", false),
  ])
  func `is confidential over http only on this machine`(url: String, isConfidential: Bool) throws {
    #expect(try Deployment(url: url).isConfidential == isConfidential)
    #expect(try Deployment(url: url.replacing("http:", with: "https:")).isConfidential)
  }
}
