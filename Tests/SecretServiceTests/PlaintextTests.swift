import Foundation
import SecretService
import Secrets
import TestDesk
import Testing

private let sibling: Attributes = ["application": "another"]

/// What is left of a secret of ours, and of a sibling's, after the daemon restarted and the
/// sibling was written again.
private func survivors(of secret: String) throws -> (ours: String?, sibling: String?) {
  let desktop = try PrivateDesktop(.plaintext)
  try desktop.service().store(Secret("sibling"), label: "s", attributes: sibling)
  try desktop.service().store(Secret(secret), label: "l", attributes: sessionAttributes())
  try desktop.restartKeyring()
  try desktop.otherApplicationStores(Array("again".utf8), ["third", "1"])
  try desktop.restartKeyring()
  let service = try desktop.service()
  func read(_ attributes: Attributes) throws -> String? {
    try service.search(attributes).first.map { try service.secret(of: $0).revealed }
  }
  return (try read(sessionAttributes()), try read(sibling))
}

/// gnome-keyring 42 writes a passwordless keyring's secrets raw and reads them back unescaped.
@Suite struct `A keyring without a password` {
  // Exit tests take values from Swift 6.3 on.
  #if compiler(>=6.3)
    @Test(arguments: [
      #"{"v":1,"url":"https://dev.coder.com","access_token":"a-b_c.d~e+f/g=","expires":1795412385}"#,
      "plain-token", "日本語 without any escape",
    ])
    func `One line without a backslash survives, and so does the sibling`(
      _ secret: String
    ) async {
      await #expect(processExitsWith: .success) { [secret = secret as String] in
        let left = try survivors(of: secret)
        #expect(left.ours == secret)
        #expect(left.sibling == "sibling")
      }
    }
  #endif

  @Test func `Two lines do not survive a restart, nor does what others kept beside them`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.plaintext)
      try desktop.service().store(Secret("sibling"), label: "s", attributes: sibling)
      try desktop.service().store(
        Secret("{\n\"pretty\": 1\n}"), label: "l", attributes: sessionAttributes())
      try desktop.restartKeyring()
      let service = try desktop.service()
      #expect(try service.defaultCollectionState() == .absent)
      #expect(failure { try service.search(sibling) } == .noDefaultCollection)
    }
  }

  @Test func `It starts locked and opens at the mere request, without a prompt`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.plaintext)
      let service = try desktop.service()
      #expect(try service.defaultCollectionState() == .locked)
      try service.unlock()
      #expect(service.hasCollectionWithoutPassword)
      #expect(try service.defaultCollectionState() == .unlocked)
    }
  }

  @Test func `That it has no password is known also where the person may be asked`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.plaintext)
      let service = try desktop.service(prompts: .ask(timeoutSeconds: 5))
      try service.unlock()
      #expect(service.hasCollectionWithoutPassword)
    }
  }

  @Test func `Searching and storing open it for themselves`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.plaintext)
      #expect(try desktop.service().search(ours).isEmpty)
      try desktop.restartKeyring()
      try desktop.service().store(Secret("t"), label: "l", attributes: sessionAttributes())
      try desktop.restartKeyring()
      let service = try desktop.service()
      let item = try #require(try service.search(sessionAttributes()).first)
      #expect(!item.isLocked)
      #expect(try service.secret(of: item) == Secret("t"))
    }
  }

  @Test func `Labels and attributes keep what a secret would lose`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.plaintext)
      let attributes: Attributes = ["application": "coder-cred", "account": "a\nb\\c \t"]
      try desktop.service().store(Secret("t"), label: " two\nlines\\ ", attributes: attributes)
      try desktop.restartKeyring()
      let item = try #require(try desktop.service().search(attributes).first)
      #expect(item.label == " two\nlines\\ ")
      #expect(item.attributes == attributes)
    }
  }
}
