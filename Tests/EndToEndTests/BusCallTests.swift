import TestDesk
import Testing

/// How much the bus carries for one command: who types git push waits for each call.
@Suite(.blocking) struct `The calls on the bus` {
  private func calls(_ desk: Desk, _ arguments: [String], _ input: String) throws -> [String: Int] {
    try desk.desktop.busCalls {
      let result = try desk.run(arguments, input: input)
      #expect(result.status == 0, "\(result.stderr)")
    }
  }

  /// Expects that none of the methods is called more often than this, and no other of the keyring's.
  private func expect(
    _ calls: [String: Int], atMost limits: [String: Int],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let watched = [
      "SearchItems", "GetAll", "Get", "GetSecret", "GetSecrets", "SetSecret", "Set", "CreateItem",
      "Delete", "OpenSession", "ReadAlias", "Unlock", "StartServiceByName", "AddMatch",
      "GetNameOwner", "RequestName",
    ]
    for method in watched {
      #expect(
        calls[method, default: 0] <= limits[method, default: 0], "\(method) in \(calls)",
        sourceLocation: sourceLocation)
    }
  }

  @Test func `a store of something new, of the same with another password, and of an erase`() throws
  {
    try Desk.with { desk in
      let server = "protocol=https\nhost=git.example.com\nusername=alice\n"
      let first = try calls(desk, ["store"], "\(server)password=\(desk.plant("1"))\n")
      // The fast path has looked, as far as its one search; libsecret encrypts what is written.
      let introduction = ["GetNameOwner": 2, "OpenSession": 3, "AddMatch": 1]
      let looking = ["SearchItems": 4, "Get": 4, "RequestName": 1]
      expect(first, atMost: introduction.merging(looking.merging(["CreateItem": 1]) { $1 }) { $1 })
      let second = try calls(desk, ["store"], "\(server)password=\(desk.plant("2"))\n")
      let reading = ["Get": 8, "GetSecret": 3, "SetSecret": 1]
      expect(second, atMost: introduction.merging(looking.merging(reading) { $1 }) { $1 })
      let erase = try calls(desk, ["erase"], server)
      expect(
        erase,
        atMost: [
          "GetNameOwner": 2, "SearchItems": 3, "Get": 5, "RequestName": 1, "OpenSession": 1,
          "GetSecret": 2, "Delete": 1,
        ])
      #expect(try desk.desktop.items(["application": "coder-cred"]).isEmpty)
    }
  }
}
