import Foundation
import SecretService
import Secrets
import TestDesk
import Testing

@Suite struct `Items of an unlocked keyring` {
  @Test func `What is stored is found, read and deleted again`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      try service.store(Secret("tok-1"), label: "Coder session", attributes: sessionAttributes())
      let found = try service.search(sessionAttributes())
      let item = try #require(found.first)
      #expect(found.count == 1)
      #expect(item.attributes == sessionAttributes())
      #expect(item.label == "Coder session")
      #expect(item.schema == SecretService.schema)
      #expect(!item.isLocked)
      #expect(abs(Double(item.modified) - Date().timeIntervalSince1970) < 120)
      #expect(try service.secret(of: item) == Secret("tok-1"))
      try service.delete(item)
      #expect(try service.search(sessionAttributes()).isEmpty)
    }
  }

  @Test func `Storing the same attributes again replaces secret and label`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      try service.store(Secret("old"), label: "old", attributes: sessionAttributes())
      try service.store(Secret("new"), label: "new", attributes: sessionAttributes())
      let found = try service.search(ours)
      #expect(found.map(\.label) == ["new"])
      #expect(try service.secret(of: #require(found.first)) == Secret("new"))
    }
  }

  @Test func `A secret is the same with and without encryption on its way`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      try service.store(Secret("t\u{f6}k"), label: "l", attributes: sessionAttributes())
      let item = try #require(try service.search(ours).first)
      for encrypted in [false, true, false] {
        #expect(try service.secret(of: item, encrypted: encrypted) == Secret("t\u{f6}k"))
      }
      try desktop.lock()
      #expect(isLocked(failure { try service.secret(of: item, encrypted: false) }))
    }
  }

  @Test func `A list tells labels and times only where several items are alike`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      try service.store(Secret("a"), label: "alice's", attributes: sessionAttributes())
      try service.store(Secret("b"), label: "bob's", attributes: sessionAttributes("bob"))
      let twin = sessionAttributes("bob").values.merging(["more": "1"]) { $1 }
      try desktop.storeAsOtherApplication("c", label: "another", twin)
      let list = try service.list([ours], toldApartBy: ["deployment", "account"])[0].get()
      #expect(list.count == 3)
      for item in list {
        let isAlone = item.attributes["account"] == "alice"
        #expect(item.label.isEmpty == isAlone && (item.modified == 0) == isAlone)
        #expect(try !service.label(of: item).isEmpty && !item.isLocked)
      }
    }
  }

  @Test func `A list of several searches keeps them apart, and brings the secrets along`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      try service.store(Secret("a"), label: "a", attributes: sessionAttributes("alice"))
      try service.store(Secret("b"), label: "b", attributes: sessionAttributes("bob"))
      let searches = [sessionAttributes("bob"), sessionAttributes("nobody"), ours]
      func lists(readsSecrets: Bool) throws -> [[Item]] {
        try service.list(searches, toldApartBy: ["account"], readsSecrets: readsSecrets)
          .map { try $0.get() }
      }
      let found = try lists(readsSecrets: true)
      #expect(found.map(\.count) == [1, 0, 2])
      #expect(found[0].map(\.secret) == [Secret("b")])
      #expect(Set(found[2].map(\.secret)) == [Secret("a"), Secret("b")])
      #expect(try lists(readsSecrets: false)[2].allSatisfy { $0.secret == nil })
    }
  }

  @Test func `A search finds whatever has at least the attributes, and shows them all`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      try service.store(Secret("a"), label: "a", attributes: sessionAttributes("alice"))
      try service.store(Secret("b"), label: "b", attributes: sessionAttributes("bob"))
      try service.store(
        Secret("c"), label: "c",
        attributes: ["application": "coder-cred", "kind": "client", "deployment": "https://x.test"])
      #expect(Set(try service.search(ours).map(\.label)) == ["a", "b", "c"])
      let sessions = try service.search(["application": "coder-cred", "kind": "session"])
      #expect(Set(sessions.map { $0.attributes["account"] }) == ["alice", "bob"])
      let secrets = try service.secrets(of: sessions).map { try $0.get().revealed }
      #expect(secrets == sessions.map { $0.attributes["account"] == "alice" ? "a" : "b" })
    }
  }

  // Exit tests take values from Swift 6.3 on.
  #if compiler(>=6.3)
    @Test(arguments: [
      "", "it's \"quoted\" \\ and $HOME", "日本語 ünï 👩‍👩‍👧 \u{202e}x", "two\nlines\r\nand\ttabs",
      String(repeating: "x", count: 10_000),
    ])
    func `Labels, values and secrets keep every character`(_ text: String) async {
      await #expect(processExitsWith: .success) { [text = text as String] in
        let desktop = try PrivateDesktop(.unlocked)
        let service = try desktop.service()
        var attributes = sessionAttributes()
        attributes["account"] = text
        try service.store(Secret(text), label: text, attributes: attributes)
        let item = try #require(try service.search(attributes).first)
        #expect(item.label == text)
        #expect(item.attributes["account"] == text)
        #expect(try service.secret(of: item) == Secret(text))
      }
    }
  #endif

  @Test func `An empty account is an attribute of its own and no subset of another`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      try service.store(Secret("nobody"), label: "n", attributes: sessionAttributes(""))
      try service.store(Secret("alice"), label: "a", attributes: sessionAttributes())
      let found = try service.search(sessionAttributes(""))
      #expect(found.map(\.label) == ["n"])
    }
  }

  @Test func `The item carries our schema, but is found without it`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      try service.store(Secret("t"), label: "l", attributes: sessionAttributes())
      #expect(try desktop.secretTool("application", "coder-cred").contains("io.github.coder_cred"))
      try desktop.otherApplicationStores(
        Array("x".utf8), ["application", "coder-cred", "kind", "odd"])
      let foreign = try service.search(["application": "coder-cred", "kind": "odd"])
      // None at first, the generic one once the daemon has read its own file again.
      #expect(foreign.count == 1 && foreign.allSatisfy { $0.schema != SecretService.schema })
    }
  }

  @Test func `A set that is part of another item's is an item of its own`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      try service.store(Secret("keep"), label: "full", attributes: sessionAttributes())
      var part = sessionAttributes()
      part["account"] = nil
      try service.store(Secret("x"), label: "part", attributes: part)
      try service.store(Secret("y"), label: "part", attributes: part)
      let found = try service.search(ours)
      #expect(Set(found.map(\.attributes)) == [sessionAttributes(), part])
      for item in found {
        #expect(
          try service.secret(of: item) == Secret(item.attributes["account"] == nil ? "y" : "keep"))
      }
    }
  }

  @Test func `Another application's item with the same attributes and more is left alone`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      let pairs = sessionAttributes().values.flatMap { [$0.key, $0.value] }
      try desktop.otherApplicationStores(Array("theirs".utf8), pairs + ["more", "1"])
      try service.store(Secret("mine"), label: "mine", attributes: sessionAttributes())
      let found = try service.search(sessionAttributes())
      let secrets = try found.map {
        ($0.attributes["more"], try service.secret(of: $0).revealed)
      }
      #expect(secrets.count == 2)
      #expect(secrets.contains { $0 == "1" && $1 == "theirs" })
      #expect(secrets.contains { $0 == nil && $1 == "mine" })
    }
  }

  @Test func `Another application that stores a part of our set takes our item over`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      // gnome-keyring's doing, and the reason why payloads name their deployment: pinned, not liked.
      try service.store(Secret("mine"), label: "mine", attributes: sessionAttributes())
      try desktop.otherApplicationStores(Array("theirs".utf8), ["application", "coder-cred"])
      #expect(try service.search(sessionAttributes()).isEmpty)
      #expect(try service.search(ours).map(\.attributes) == [ours])
    }
  }

  @Test func `A secret that is not UTF-8 is malformed, not absent`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      try desktop.otherApplicationStores([0xff, 0xfe, 0x00, 0x41], ["application", "coder-cred"])
      let item = try #require(try service.search(ours).first)
      #expect(isMalformed(failure { try service.secret(of: item) }))
      let results = try service.secrets(of: [item])
      #expect(results.count == 1)
      #expect(throws: SecretServiceError.self) { try results.first?.get() }
    }
  }

  @Test func `A secret of 64 KiB is kept, and one byte more is refused`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      let most = String(repeating: "x", count: SecretService.longestSecret)
      try service.store(Secret(most), label: "l", attributes: sessionAttributes())
      let item = try #require(try service.search(ours).first)
      #expect(try service.secret(of: item) == Secret(most))
      let error = failure {
        try service.store(Secret(most + "x"), label: "l", attributes: sessionAttributes("bob"))
      }
      #expect(isMalformed(error))
      #expect(try service.search(ours).count == 1)
    }
  }

  @Test func `What libsecret would cut off or answer with NULL is refused beforehand`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      let evil = "a\0b"
      for attributes in [[:], [evil: "x"], ["x": evil]] as [Attributes] {
        #expect(isMalformed(failure { try service.search(attributes) }))
        #expect(
          isMalformed(
            failure { try service.store(Secret("s"), label: "l", attributes: attributes) }))
      }
      #expect(
        isMalformed(failure { try service.store(Secret("s"), label: evil, attributes: ours) }))
      #expect(try service.search(ours).isEmpty)
    }
  }

  @Test func `A secret may hold a NUL`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      try service.store(Secret("a\0b"), label: "l", attributes: sessionAttributes())
      #expect(try service.secret(of: #require(try service.search(ours).first)) == Secret("a\0b"))
    }
  }

  @Test func `An item that has vanished is no such item, and deleting it twice too`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      try service.store(Secret("t"), label: "l", attributes: sessionAttributes())
      let item = try #require(try service.search(ours).first)
      try desktop.service().delete(item)
      #expect(failure { try service.secret(of: item) } == .noSuchItem)
      #expect(failure { try service.delete(item) } == .noSuchItem)
      #expect(try service.secrets(of: [item]) == [.failure(.noSuchItem)])
    }
  }

  @Test func `Many secrets come in order, across batches`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      for number in 0..<70 {
        try service.store(
          Secret("secret \(number)"), label: "\(number)", attributes: sessionAttributes("\(number)")
        )
      }
      let items = try service.search(ours)
      let secrets = try service.secrets(of: items).map { try $0.get().revealed }
      #expect(items.count == 70)
      #expect(secrets == items.map { "secret \($0.label)" })
    }
  }

  @Test func `Connections end with their service and leave nothing on the bus`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      try service.store(Secret("t"), label: "l", attributes: sessionAttributes())
      func connections() throws -> Int {
        let names = try desktop.run(
          "gdbus",
          [
            "call", "--session", "--dest", "org.freedesktop.DBus", "--object-path",
            "/org/freedesktop/DBus", "--method", "org.freedesktop.DBus.ListNames",
          ])
        return names.stdout.components(separatedBy: "':").count
      }
      let before = try connections()
      for _ in 0..<20 {
        let other = try desktop.service()
        _ = try other.secret(of: #require(try other.search(ours).first))
      }
      // A connection may be closed a moment after its last use.
      try waitFor("the connections to end") { try connections() == before }
    }
  }
}
