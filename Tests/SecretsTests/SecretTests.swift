import Secrets
import Testing

@Suite struct `A secret` {
  @Test(
    arguments: [
      ("0123456789-abcdefghijklmnopqrstuv", "0123456789"), ("aZ09aZ09aZ-s", "aZ09aZ09aZ"),
      ("0123456789-", nil), ("0123456789", nil), ("012345678-abc", nil), ("01234567890-abc", nil),
      ("01234 6789-abc", nil), ("01234/6789-abc", nil), ("coder_0123456789_abc", nil), ("", nil),
      ("é12345678-abc", nil),
    ] as [(String, String?)])
  func `has a name in it only as an API key`(_ text: String, _ id: String?) {
    #expect(Secret(text).keyID == id)
  }

  @Test func `is digested in hexadecimal for names of files`() {
    // FIPS 180-4's example "abc".
    #expect(
      SHA256.hexadecimal("abc")
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }
}
