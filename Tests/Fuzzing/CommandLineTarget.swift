@testable import ArgumentParser
@testable import Credentials
@testable import coder_cred
@testable import coder_cred_engine

extension FuzzTarget {
  /// A command line, its words on a line each: what the fast path understands of it, the full program
  /// understands in the same way.
  static let commandLine = FuzzTarget(name: "command-line", maximumBytes: 512) { bytes in
    guard !bytes.contains(0) else { return }
    let words = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map(\.text)
    guard words.count <= 16, let fast = try? FastPathArguments(["coder-cred"] + words) else {
      return
    }
    let full = CommandLineArguments(words)
    expect(!full.isUnknownOperation, "it is a verb of ours")
    expect(full.optionWithoutValue == nil, "every flag has its value")
    let command = expectNoError("the full program takes \(words)") {
      try CoderCred.parseAsRoot(full.words)
    }
    switch (fast.operation, command) {
    case (.answer(let format), let get as GetCommand):
      expect(format == get.format, "one format")
      expect(fast.readsRequest == (get.url == nil && get.options.url == nil), "one request")
      expectSame(fast, get.options, get.url)
    case (.answer(let format), let token as TokenCommand):
      expect(format == token.format, "one format")
      expectSame(fast, token.options, token.url)
    case (.answer(let format), let header as HeaderCommand):
      expect(format == .header(header.format), "one notation")
      expect(header.urls.count <= 1, "one URL")
      expectSame(fast, header.options, header.urls.first)
    case (.store, let store as StoreCommand): expectSame(fast, store.options, nil)
    case (.erase, let erase as EraseCommand): expectSame(fast, erase.options, nil)
    case (.capability, is CapabilityCommand): break
    default: expect(false, "one command of \(words)")
    }
  }
}

private func expectSame(
  _ fast: FastPathArguments, _ options: CredentialOptions, _ argument: String?
) {
  let url = expectNoError("one deployment is named") { try options.named(argument) }
  expect(fast.url == url, "one URL")
  expect(fast.account == options.account, "one account")
  expect(fast.minimumSeconds == options.minimumSeconds, "one lifetime")
  expect(!options.verify, "the fast path asks no deployment")
}
