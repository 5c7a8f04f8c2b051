import ArgumentParser
import Credentials

/// What git and scripts wait for in its plainest form: a verb, and at most a URL.
///
/// Such a command is run without the parser, which takes as long as the rest of our start.
enum PlainCommand {
  /// Runs the command that these words name.
  ///
  /// - Returns: whether they name one; not, when the parser has to read them.
  static func run(_ words: [String]) throws -> Bool {
    let url = words.dropFirst().first
    guard words.count <= 2, url?.isEmpty != true, url?.hasPrefix("-") != true,
      !CredentialRequest.isVerbTwice(words)
    else { return false }
    switch words.first {
    case "get": try GetCommand(url: url).run()
    case "token": try TokenCommand(url: url).run()
    case "store" where url == nil: try StoreCommand.store(account: nil)
    case "erase" where url == nil: try EraseCommand.erase(account: nil)
    default: return false
    }
    return true
  }
}

extension GetCommand {
  fileprivate init(url: String?) {
    self.init()
    self.url = url
    options = .unset
    format = Self.usualFormat
    interactive = false
  }
}

extension TokenCommand {
  fileprivate init(url: String?) {
    self.init()
    self.url = url
    options = .unset
    format = Self.usualFormat
  }
}

extension CredentialOptions {
  /// As if none of them were given.
  fileprivate static var unset: CredentialOptions {
    var options = CredentialOptions()
    options.url = nil
    options.account = nil
    options.minimumSeconds = nil
    options.noRefresh = false
    options.verify = false
    return options
  }
}
