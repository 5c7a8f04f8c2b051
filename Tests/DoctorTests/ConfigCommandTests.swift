import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `config` {
  @Test func `What is set is read, by get, by list, and by the commands it is for`() throws {
    try Desk.with { desk in
      let empty = try desk.run(["config"])
      #expect(empty.output.isEmpty && empty.stderr.hasPrefix("Nothing is set."))
      expectSilence(try desk.run(["config", "set", "refresh-margin", "120"]))
      expectSilence(try desk.run(["config", "set", "--url", "h.example", "refresh-margin", "7"]))
      expectSilence(try desk.run(["config", "set", "default-deployment", "H.example/coder/"]))
      #expect(try desk.run(["config", "get", "refresh-margin"]).stdout == "120\n")
      let own = try desk.run(["config", "get", "refresh-margin", "--url", "https://h.example"])
      #expect(own.stdout == "7\n")
      let inherited = try desk.run(["config", "get", "--url", "other.example", "refresh-margin"])
      #expect(inherited.stdout == "120\n")
      #expect(try desk.run(["use"]).stdout == "https://h.example/coder\n")
      let listed = try desk.run(["config", "list"])
      let expected = """
        [coder-cred]
        refresh-margin=120
        default-deployment=https://h.example/coder
        [https://h.example]
        refresh-margin=7

        """
      #expect(listed.stdout == expected && listed.messages.isEmpty)
      #expect(try desk.run(["config"]).stdout == expected)
      #expect(
        try desk.run(["config", "list", "--url", "h.example"]).lines
          == ["default-deployment=https://h.example/coder", "refresh-margin=7"])
      let rows = try desk.run(["config", "list", "--json"]).rows()
      #expect(
        rows.map { $0["key"] as? String } == [
          "refresh-margin", "default-deployment", "refresh-margin",
        ])
      #expect(rows.map { $0["deployment"] as? String } == [nil, nil, "https://h.example"])
    }
  }

  @Test func `What is unset is gone, and the rest stays`() throws {
    try Desk.with { desk in
      let before = "# mine\n\n[coder-cred]\n# early\nrefresh-margin=120\nscopes=a b\n"
      try desk.write(before, to: desk.configuration)
      expectSilence(try desk.run(["config", "set", "interactive", "true"]))
      expectSilence(try desk.run(["config", "unset", "interactive"]))
      #expect(try String(contentsOfFile: desk.configuration, encoding: .utf8) == before)
      let again = try desk.run(["config", "unset", "interactive"])
      #expect(again.status == 0 && again.stderr == "interactive is not set in [coder-cred].\n")
      let read = try desk.run(["config", "get", "interactive"])
      #expect(read.status == 0 && read.output.isEmpty)
      #expect(read.stderr == "interactive is not set; false holds.\n")
    }
  }

  @Test(arguments: [
    ("refresh-margin", "-1"), ("refresh-margin", "soon"), ("refresh-margin", ""),
    ("refresh-margin", "99999999999999999999"), ("ca-file", "corp.pem"), ("interactive", "yes"),
    ("redirect-port", "80"), ("redirect-port", "65536"), ("sign-in-timeout", "0"),
    ("client-id", "two words"), ("scopes", " "), ("browser-url", "ftp://h"),
    ("allowed-origins", "https://a https://b?c"), ("default-deployment", "http://h.example"),
    ("client-id", "a\nb"), ("no-such\u{1B}key", "x"), ("", "x"),
  ])
  func `A value that makes no sense is refused, and nothing is written`(
    key: String, value: String
  ) throws {
    try Desk.with { desk in
      let result = try desk.run(["config", "set", "--", key, value])
      #expect([64, 65].contains(result.status), "\(result.stderr)")
      expectFailure(result, result.status, "\(key)=\(value)")
      #expect(!FileManager.default.fileExists(atPath: desk.configuration))
    }
  }

  @Test func `A setting of one deployment is refused for all, and the other way round`() throws {
    try Desk.with { desk in
      let common = try desk.run(["config", "set", "account", "alice"])
      expectFailure(common, 64, saying: "config set --url URL account VALUE")
      let own = try desk.run(["config", "set", "--url", "h.example", "default-deployment", "h"])
      expectFailure(own, 64, saying: "config set default-deployment VALUE")
      expectSilence(try desk.run(["config", "set", "--url", "h.example", "account", "alice"]))
    }
  }

  @Test func `The last setting takes its group and its file with it, and no comment`() throws {
    try Desk.with { desk in
      expectSilence(try desk.run(["config", "set", "interactive", "true"]))
      expectSilence(try desk.run(["config", "unset", "interactive"]))
      #expect(!FileManager.default.fileExists(atPath: desk.configuration))
      let own = "[coder-cred]\nrefresh-margin=120\n"
      try desk.write(own, to: desk.configuration)
      expectSilence(try desk.run(["config", "set", "--url", "h.example", "scopes", "a"]))
      expectSilence(try desk.run(["config", "unset", "--url", "h.example", "scopes"]))
      #expect(try String(contentsOfFile: desk.configuration, encoding: .utf8) == own)
      try desk.write("[coder-cred]\n# why\nscopes=a\n", to: desk.configuration)
      expectSilence(try desk.run(["config", "unset", "scopes"]))
      #expect(
        try String(contentsOfFile: desk.configuration, encoding: .utf8) == "[coder-cred]\n# why\n")
    }
  }

  @Test func `An unknown key is not written, and read with a warning that names the nearest`()
    throws
  {
    try Desk.with { desk in
      expectFailure(
        try desk.run(["config", "set", "refresh-marign", "120"]), 64,
        saying: "there is no setting “refresh-marign”; do you mean refresh-margin?")
      #expect(!FileManager.default.fileExists(atPath: desk.configuration))
      try desk.configure("refresh-marign=120")
      let listed = try desk.run(["config", "list"])
      #expect(listed.status == 0 && listed.lines == ["[coder-cred]", "refresh-marign=120"])
      #expect(listed.message("warning")?.hasSuffix("do you mean refresh-margin?") == true)
      #expect(
        try desk.run(["config", "get", "cafile"]).message("warning")
          == "there is no setting “cafile”; do you mean ca-file?")
      #expect(
        try desk.run(["config", "get", "zzzzzzzzzzzz"]).message("warning")
          == "there is no setting “zzzzzzzzzzzz”")
    }
  }

  @Test(arguments: [
    ("[https://H.example/]\nca-file=/x\n", "write [https://h.example]"),
    ("[h.example]\nca-file=/x\n", "write [https://h.example]"),
    ("[my work]\nca-file=/x\n", "a group is [coder-cred] or a deployment's URL"),
    ("[coder-cred]\ninteractive=yes\n", "takes true or false"),
    ("[https://h.example]\ndefault-deployment=https://h.example\n", "belongs into [coder-cred]"),
    ("[coder-cred]\naccount=alice\n", "belongs into a deployment's group"),
    ("[https://[::1]]\nca-file=/x\n", nil), ("[https://%5B::1%5D]\nca-file=/x\n", nil),
  ])
  func `What is written but not read is a warning`(text: String, words: String?) throws {
    try Desk.with { desk in
      try desk.write(text, to: desk.configuration)
      let result = try desk.run(["config", "list"])
      if text.contains("[::1]]") {
        expectFailure(result, 64, saying: "line 1")
      } else {
        #expect(result.status == 0)
        #expect(result.message("warning")?.contains(words ?? "nothing") ?? (words == nil))
      }
    }
  }

  /// The text, and the number of its bad line.
  @Test(arguments: [
    ("[coder-cred]\nrefresh-margin=5\nnonsense CANARY\nca-file=/x\n", 3),
    ("CANARY=1\n[coder-cred]\n", 1), ("# c\n\n[coder-cred\nCANARY=1\n", 3),
    ("[coder-cred]\n=CANARY\n", 2), ("[coder-cred]\nca-file=CANARY\\q\n", 2),
    ("[a]\nca-file=/x\n[coder-cred]\nca-file=CANARY\\q\n", 4),
    ("[coder-cred]\nca-file=CANARY\u{0}\n", 2), ("[a]\nx=1\n[]\nCANARY=2\n", 3),
  ])
  func `A broken file is an error that names its line, and shows nothing of it`(
    text: String, line: Int
  ) throws {
    try Desk.with { desk in
      try desk.write(text.replacing("CANARY", with: desk.plant()), to: desk.configuration)
      desk.expectSecret(in: desk.configuration)
      let before = FileManager.default.contents(atPath: desk.configuration)
      for arguments in [
        ["list"], ["get", "scopes"], ["set", "scopes", "a"], ["unset", "scopes"],
      ] {
        let result = try desk.run(["config"] + arguments)
        expectFailure(result, 64, saying: "line \(line): ", "\(arguments)")
      }
      expectFailure(try desk.run(["token", "h.example"]), 64, saying: "line \(line): ")
      #expect(FileManager.default.contents(atPath: desk.configuration) == before)
    }
  }

  @Test func `A file of another kind or too long is refused as by all commands`() throws {
    try Desk.with { desk in
      try desk.write(
        "[coder-cred]\n#" + String(repeating: "x", count: 70_000), to: desk.configuration)
      expectFailure(try desk.run(["config", "set", "scopes", "a"]), 64, saying: "64 KiB")
      expectFailure(try desk.run(["config", "list"]), 64, saying: "64 KiB")
    }
  }
}
