import Testing

@testable import HTTP

/// `NO_PROXY` means what Go's httpproxy takes it to mean, and so the Coder CLI.
@Suite struct NoProxyListTests {
  @Test(arguments: [
    // A name stands for itself and what is below it; a dot or "*." before it excludes itself.
    ("example.com", "example.com", 443, true), ("example.com", "dev.example.com", 443, true),
    ("example.com", "badexample.com", 443, false), ("example.com", "example.com.evil", 443, false),
    (".example.com", "dev.example.com", 443, true), (".example.com", "example.com", 443, false),
    ("*.example.com", "dev.example.com", 443, true), ("*.example.com", "example.com", 443, false),
    ("EXAMPLE.com", "example.com", 443, true), ("com", "example.com", 443, true),
    // A port counts.
    ("example.com:8443", "example.com", 8443, true),
    ("example.com:8443", "example.com", 443, false),
    ("example.com:443", "example.com", 443, true), ("example.com:", "example.com", 8443, true),
    (".example.com:80", "dev.example.com", 80, true),
    ("*.example.com:80", "a.example.com", 81, false),
    ("192.0.2.1:8443", "192.0.2.1", 8443, true), ("192.0.2.1:8443", "192.0.2.1", 443, false),
    ("[2001:db8::1]:8443", "[2001:db8::1]", 8443, true),
    ("[2001:db8::1]:8443", "[2001:db8::1]", 443, false),
    // Addresses and networks.
    ("192.0.2.1", "192.0.2.1", 443, true), ("192.0.2.1", "192.0.2.10", 443, false),
    ("2001:db8::1", "[2001:db8:0:0::1]", 443, true), ("[2001:db8::1]", "[2001:db8::1]", 443, true),
    ("192.0.2.0/24", "192.0.2.255", 443, true), ("192.0.2.0/24", "192.0.3.0", 443, false),
    ("192.0.2.128/25", "192.0.2.127", 443, false), ("192.0.2.77/24", "192.0.2.1", 443, true),
    ("0.0.0.0/0", "198.51.100.1", 443, true), ("0.0.0.0/0", "[2001:db8::1]", 443, false),
    ("0.0.0.0/0", "example.com", 443, false), ("192.0.2.1/32", "192.0.2.1", 443, true),
    ("2001:db8::/32", "[2001:db8:ffff::1]", 443, true),
    ("2001:db8::/33", "[2001:db8:8000::1]", 443, false),
    ("::/0", "[2001:db8::1]", 443, true), ("::/0", "192.0.2.1", 443, false),
    ("192.0.2.1", "[::ffff:192.0.2.1]", 443, true),
    // An address has no names below it.
    ("2.1", "192.0.2.1", 443, false), (".2.1", "192.0.2.1", 443, false),
    // Everything.
    ("*", "example.com", 443, true), ("*", "[2001:db8::1]", 1, true),
    ("example.org, * ,x", "example.com", 443, true), ("*:443", "example.com", 443, false),
    // Lists, blanks, and what is no entry.
    ("a.example, b.example\t,c.example", "b.example", 443, true),
    ("", "example.com", 443, false), (",, ,", "example.com", 443, false),
    (":443", "example.com", 443, false), (".", "example.com", 443, false),
    ("*.", "example.com", 443, false), ("192.0.2.0/33", "192.0.2.1", 443, false),
    ("192.0.2.0/", "192.0.2.1", 443, false), ("192.0.2.0/+8", "192.0.2.1", 443, false),
    ("a.example b.example", "b.example", 443, false),
    ("https://example.com", "example.com", 443, false),
  ])
  func `An entry exempts what it does in Go`(list: String, host: String, port: Int, isExempt: Bool)
  {
    #expect(NoProxyList(list).contains(host: host, port: port) == isExempt, "\(list) \(host)")
  }
}
