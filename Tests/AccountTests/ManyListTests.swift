import Foundation
import TestDesk
import Testing

/// Lists of a thousand sessions.
@Suite(.blocking) struct `A long list` {
  private func calls(_ desk: Desk, _ arguments: [String]) throws -> [String: Int] {
    try desk.desktop.busCalls {
      let result = try desk.run(arguments)
      #expect(result.status == 0, "\(result.stderr)")
    }
  }

  @Test
  func `A session costs one call for its attributes, and a sixty-fourth of one for its secret`()
    throws
  {
    try Desk.with(.plaintext) { desk in
      try desk.run(["store"], input: "protocol=https\nhost=h0.example\nusername=u\npassword=p\n")
      let few = try calls(desk, ["list"])
      let file = "\(desk.desktop.keyrings)/Default_keyring.keyring"
      desk.desktop.stopKeyring()
      var text = try String(contentsOfFile: file, encoding: .utf8)
      let template = try #require(text.range(of: "[1]")).lowerBound
      let item = String(text[template...])
      for number in 2...300 {
        text +=
          "\n"
          + item.replacing("[1", with: "[\(number)")
          .replacing("h0.example", with: "h\(number).example")
      }
      try text.write(toFile: file, atomically: false, encoding: .utf8)
      try desk.desktop.restartKeyring()
      let rows = try desk.run(["list", "--json"]).rows()
      #expect(rows.count == 300)
      #expect(rows.allSatisfy { $0["state"] as? String == "valid" })
      let many = try calls(desk, ["list"])
      // One property, and not all of them.
      let added = many["Get", default: 0] - few["Get", default: 0]
      #expect(added == 299, "\(few) \(many)")
      #expect(many["GetAll", default: 0] == few["GetAll", default: 0], "\(few) \(many)")
      #expect(many["GetSecrets", default: 0] == 5 && many["GetSecret", default: 0] == 0)
      #expect(many["AddMatch", default: 0] == few["AddMatch", default: 0], "\(few) \(many)")
    }
  }
}
