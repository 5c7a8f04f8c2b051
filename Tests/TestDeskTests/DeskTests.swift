import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `A desk` {
  @Test func `finds a canary as it is, in base64, and in any file or file name`() throws {
    let canary = Canary()
    let directory = FileManager.default.temporaryDirectory.path + "/canary-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: directory + "/deep/kept", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    #expect(!canary.isIn("nothing of \(Canary().word)"))
    #expect(canary.files(below: directory, except: "\(directory)/deep/kept").isEmpty)
    for padding in ["", "1", "12", "123", "name:"] {
      let text = padding + canary.word + "rest"
      #expect(canary.isIn("\"\(text)\""))
      #expect(canary.isIn(Data(text.utf8).base64EncodedString()))
    }
    for name in ["plain", "deep/file", "deep/kept/item"] {
      try Data("x\(canary.word)x".utf8).write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
    }
    try Data().write(to: URL(fileURLWithPath: "\(directory)/name-\(canary.word)"))
    #expect(canary.files(below: directory, except: "\(directory)/deep/kept").count == 3)
  }

  @Test func `fails a test that leaves a secret in a file or sends one in a query`() throws {
    try withKnownIssue {
      try Desk.with(.withoutBus) { desk in
        try desk.write(desk.plant(), to: "\(desk.directory)/home/left")
      }
    } matching: {
      $0.description.contains("holds a secret")
    }
    try withKnownIssue {
      try Desk.with(.withoutBus) { desk in
        _ = try desk.run("curl", ["-s", "\(desk.url)/?q=\(desk.plant())"])
      }
    } matching: {
      $0.description.contains("a query held a secret")
    }
  }

  @Test func `fails a test whose program prints a secret, hangs, or ends undocumented`() throws {
    try withKnownIssue {
      try Desk.with(.withoutBus) { desk in
        _ = try desk.run("sh", ["-c", "echo \"$0\" >&2", desk.plant()])
      }
    } matching: {
      $0.description.contains("on standard error")
    }
    try withKnownIssue {
      try Desk.with(.withoutBus) { desk in
        _ = try desk.run("sh", ["-c", "kill -9 $$"])
      }
    } matching: {
      $0.description.contains("ended by a signal")
    }
  }

  @Test func `reads from and types into a terminal, which controls its program`() throws {
    try Desk.with(.withoutBus) { desk in
      try desk.withTerminal("sh", ["-c", "echo name; read name; echo \"hello $name\"; read x"]) {
        terminal in
        try terminal.expect("name\r\n")
        #expect(terminal.isEchoing)
        terminal.type("you")
        #expect(try terminal.expect("hello you") == "you\r\n")
        terminal.pressControlC()
        #expect(terminal.end() == .signal(SIGINT))
      }
    }
  }
}
