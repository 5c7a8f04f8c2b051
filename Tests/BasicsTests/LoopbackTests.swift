import Basics
import Testing

@Suite struct `Loopback hosts` {
  @Test(arguments: [
    "localhost", "LocalHost", "127.0.0.1", "127.255.255.254", "127.1.2.3", "[::1]", "[0::1]",
    "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::0:1]",
  ])
  func `These can only be this machine`(_ host: String) {
    #expect(Loopback.contains(host: host))
  }

  @Test(arguments: [
    "", "localhost.", "localhost.evil.test", "my.localhost", "127.0.0.1.evil.test", "127.0.0",
    "127.1",
    "128.0.0.1", "127.0.0.256", "127.0.0.01", "127.0.0.", "127..0.1", "0127.0.0.1", "2130706433",
    "0x7f.0.0.1", "::1", "[::1", "[::2]", "[::]", "[1::1]", "[::1:1]", "[0::0::1]", "[:1]",
    "[:0:1]",
    "[0:0:1]", "[::ffff:127.0.0.1]", "[::1%lo]", "[::11]", "[::00001]", "0.0.0.0", "10.0.0.1",
  ])
  func `These may be another machine`(_ host: String) {
    #expect(!Loopback.contains(host: host))
  }
}

@Suite struct `Percent-encoding` {
  @Test func `What is encoded is decoded again`() {
    let bytes = Array(UInt8.min ... .max)
    #expect(PercentEncoding.decode(PercentEncoding.encode(bytes) { _ in false }.utf8) == bytes)
    #expect(PercentEncoding.decode(PercentEncoding.encode(bytes) { $0 == 0x41 }.utf8) == bytes)
  }

  @Test(arguments: ["%", "%4", "%4g", "%g4", "a%", "%%41", "% 41", "%+1"])
  func `A broken escape is told`(_ text: String) {
    #expect(PercentEncoding.decode(text.utf8) == nil)
    #expect(PercentEncoding.decodeForm(text.utf8) == nil)
  }
}
