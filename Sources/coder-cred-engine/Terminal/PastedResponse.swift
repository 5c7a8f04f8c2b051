import Glibc
import Login
import OAuth

/// The browser's response, pasted by the person: the address of the page that did not load, or the
/// bare code.
final class PastedResponse: LoginEventSource {
  private let input: Int32
  private var line: [UInt8] = []
  private var isOver = false

  init(from input: Int32) {
    self.input = input
  }

  var descriptor: Int32? { isOver || isInBackground ? nil : input }

  /// Whether what is typed is meant for another program: reading it would stop this one (SIGTTIN).
  private var isInBackground: Bool { isatty(input) != 0 && tcgetpgrp(input) != getpgrp() }

  func advance(
    _ expected: AuthorizationResponse.Expectation
  ) -> Result<AuthorizationResponse, OAuthError>? {
    var chunk = [UInt8](repeating: 0, count: 4096)
    let count = read(input, &chunk, chunk.count)
    guard count > 0 else {
      isOver = count == 0 || errno != EINTR
      return nil
    }
    line += chunk[..<count]
    while let end = line.firstIndex(of: UInt8(ascii: "\n")) {
      let pasted = String(decoding: line[..<end], as: UTF8.self)
      line.removeFirst(end + 1)
      if let result = outcome(of: pasted, expected) { return result }
    }
    // A terminal hands over lines; what grows beyond any address is no address.
    if line.count > CallbackSocket.limit { line = [] }
    return nil
  }

  private func outcome(
    of pasted: String, _ expected: AuthorizationResponse.Expectation
  ) -> Result<AuthorizationResponse, OAuthError>? {
    guard pasted.utf8.contains(where: { $0 > 0x20 }) else { return nil }
    do throws(OAuthError) {
      let response = try AuthorizationResponse(pasted: pasted, expected: expected)
      // What a script pipes in may be anything, even a secret meant for another question.
      if let response, response.hasState || isatty(input) != 0 { return .success(response) }
      say("That is not the address of this sign-in's last page; use the newest tab.")
      return nil
    } catch {
      guard case .malformed(let reason) = error else { return .failure(error) }
      say("That cannot be used: \(reason).")
      return nil
    }
  }

  private func say(_ line: String) {
    if isatty(input) != 0 { Terminal.say(line) }
  }
}
