import Secrets
import Testing

@Suite struct `Text that somebody else wrote` {
  /// What a terminal obeys, what hides, and what passes for a blank.
  private static let invisible: [(String, String)] = [
    ("escape sequence", "\u{1B}"), ("C1 control", "\u{9B}"), ("line feed", "\n"),
    ("return", "\r"), ("NUL", "\u{0}"), ("DEL", "\u{7F}"), ("override", "\u{202E}"),
    ("isolate", "\u{2066}"), ("zero-width joiner", "\u{200D}"), ("byte order mark", "\u{FEFF}"),
    ("line separator", "\u{2028}"), ("Hangul filler", "\u{3164}"),
    ("halfwidth Hangul filler", "\u{FFA0}"), ("choseong filler", "\u{115F}"),
    ("grapheme joiner", "\u{34F}"), ("variation selector", "\u{FE0F}"), ("tag", "\u{E0041}"),
    ("blank Braille", "\u{2800}"), ("private use", "\u{E000}"), ("unassigned", "\u{378}"),
    ("no-break space", "\u{A0}"), ("ideographic space", "\u{3000}"),
  ]

  @Test(arguments: invisible)
  func `No kind shows what is invisible or steers a terminal`(_ name: String, _ scalar: String)
    throws
  {
    let text = "left\(scalar)right"
    let shown = [
      try #require(ForeignText.quotation(text)), ForeignText.terminalLine(text),
      ForeignText.label(text), ForeignText.jsonString(text), ForeignText.headerValue(text),
      ForeignText.logLine(text),
    ]
    for text in shown {
      #expect(!text.unicodeScalars.contains(scalar.unicodeScalars.first ?? " "), "\(name)")
      #expect(text.hasPrefix("left") && text.hasSuffix("right"), "\(name)")
    }
  }

  @Test func `Letters of every script stay`() {
    for text in ["plain", "größe 日本", "мир", "नमस्ते", "🙂", "e\u{301}"] {
      #expect(ForeignText.quotation(text) == text)
      #expect(ForeignText.terminalLine(text) == text)
      #expect(ForeignText.label(text) == text)
      #expect(ForeignText.jsonString(text) == text)
    }
  }

  @Test func `A quotation is short, and nothing is nothing`() {
    #expect(ForeignText.quotation(String(repeating: "x", count: 5000))?.count == 200)
    #expect(ForeignText.quotation("  a  \n b  ") == "a b")
    #expect(ForeignText.quotation("\n\u{200B}") == nil)
    #expect(ForeignText.label("\n\u{200B}") == "?")
  }

  @Test func `JSON keeps everything, as escapes`() {
    #expect(
      ForeignText.jsonString("a\"\\\u{202E}\u{1B}\u{E0041}") == #"a\"\\\u202e\u001b\udb40\udc41"#)
  }

  @Test func `A log line names no user and no query`() {
    #expect(
      ForeignText.logLine("GET https://me:pass@h.example/a?token=x#y failed")
        == "GET h.example/a failed")
  }
}

@Suite struct `Secrets in the words of others` {
  private let token = Secret("coder_abcdefghij_0123456789")

  @Test func `A secret is redacted wherever it stands, whole or in part`() {
    for text in [
      "no token coder_abcdefghij_0123456789 known", "coder_abcdefghij_0123456789",
      "token=coder_abcdefghij_01234", "_abcdefgh", "x\u{200B}coder_\u{200B}abcdefghij_0123456789",
      String(repeating: "y", count: 195) + "coder_abcdefghij_0123456789",
    ] {
      let shown = ForeignText.quotation(text, redacting: [Secret("other-secret"), token]) ?? ""
      #expect(!shown.contains("abcdefgh"), "\(text)")
      #expect(shown.contains("<red"), "\(text)")
    }
  }

  @Test func `Other words stay, and a short secret is redacted as a whole only`() {
    #expect(ForeignText.quotation("the coder said no", redacting: [token]) == "the coder said no")
    #expect(token.redacted(in: "") == "")
    #expect(Secret("rt-2").redacted(in: "rt-1 rt-2 rt-3") == "rt-1 <redacted> rt-3")
    #expect(Secret("a").redacted(in: "banana") == "banana")
    #expect(Secret("").redacted(in: "banana") == "banana")
    #expect(Secret("aaaaaaaaaa").redacted(in: "xaaaaaaaaaaaaaaax") == "x<redacted>x")
  }
}
