import Credentials
import Testing

@testable import coder_cred_engine

/// The fast path reads settings by itself, the full program with GKeyFile.
@Suite struct `Settings that the fast path understands mean the same to GKeyFile` {
  private static let url = "https://h:8443/p"

  /// The text, and whether it is plain enough for the fast path.
  @Test(
    arguments: [
      ("", true), ("\n\n# nothing\n", true), ("[coder-cred]", true), ("[coder-cred]\n", true),
      ("[coder-cred]\nrefresh-margin=5\ndefault-deployment=https://h\n", true),
      ("[coder-cred]\nrefresh-margin   =   5\n", true), ("[coder-cred]\nrefresh-margin=\n", true),
      ("[coder-cred]\ndefault-deployment = \n", false), ("[coder-cred]\na==b=c\n", true),
      ("[coder-cred]\nrefresh-margin=5\n[\(url)]\nrefresh-margin=7\n", true),
      ("[\(url)]\nrefresh-margin=7\n[coder-cred]\nrefresh-margin=5\n", true),
      ("[a]\nx=1\n[coder-cred]\nrefresh-margin=1\n[a]\ny=2\n[coder-cred]\nz=3\n", true),
      ("[coder-cred]\nrefresh-margin=1;2;#3\n#x\n# y=[\n", true), ("[ coder-cred ]\nz=1\n", true),
      ("[coder-cred]\nrefresh-margin=\"5\"\n", true), ("[[coder-cred]]\nz=1\n", false),
      ("[coder-cred]\nrefresh-margin=5\nrefresh-margin=7\n", false), ("z=1\n", false),
      ("[coder-cred]\nrefresh-margin=5\r\n", false), ("[coder-cred]\r\n", false),
      ("[coder-cred]\nrefresh-margin=5 \n", false), ("[coder-cred] \nz=1\n", false),
      ("[coder-cred]\n refresh-margin=5\n", false), (" [coder-cred]\nz=1\n", false),
      ("[coder-cred]\n #z\n", false), ("[coder-cred]\nz=a\\sb\n", false),
      ("[coder-cred]\nz[de]=1\n", false), ("[coder-cred]\nZ=1\n", false), ("[]\nz=1\n", false),
      ("[coder-cred]\nz=\u{E4}\n", false), ("[\u{E4}]\nz=1\n", false), ("nonsense", false),
      ("[coder-cred]\nnonsense\n", false), ("[coder-cred]\n=5\n", false), ("\u{0}", false),
      ("\u{FEFF}[coder-cred]\nz=1\n", false), ("[a\nz=1\n", false), ("[a]b]\nz=1\n", false),
      ("[coder-cred]\nz=1\u{B}\n", false), ("[coder-cred]\n;z=1\n", false),
      ("[https://%5B::1%5D]\nrefresh-margin=5\n", false), ("[coder-cred]\nz=\t1\n", false),
    ])
  func `Line by line`(text: String, isPlain: Bool) throws {
    let bytes = Array(text.utf8)
    let plain = PlainSettings(bytes)
    #expect((plain != nil) == isPlain)
    guard let plain else { return }
    let settings = try Settings(bytes)
    let places = [nil, try Deployment(url: Self.url), try Deployment(url: "https://other")]
    for place in places {
      for key in ["refresh-margin", "default-deployment", "a", "x", "y", "z", "absent"] {
        #expect(plain.text(key, for: place) == settings.text(key, for: place), "\(key)")
      }
    }
  }

  @Test func `Byte by byte`() throws {
    let text = Array(
      "[coder-cred]\n# c\nrefresh-margin = 5\n[\(Self.url)]\nrefresh-margin=7\n".utf8)
    var plainCount = 0
    for index in text.indices {
      for byte: UInt8 in [0, 9, 10, 13, 32, 35, 37, 59, 61, 65, 91, 92, 93, 97, 127, 195] {
        var changed = text
        changed[index] = byte
        guard let plain = PlainSettings(changed) else { continue }
        plainCount += 1
        let settings = try Settings(changed)
        for place in [nil, try Deployment(url: Self.url)] {
          #expect(
            plain.text("refresh-margin", for: place) == settings.text("refresh-margin", for: place),
            "\(String(decoding: changed, as: UTF8.self))")
        }
      }
    }
    #expect(plainCount > 200)
  }
}
