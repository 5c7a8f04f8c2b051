import Glibc
import Login
import OAuth

/// The browser's response, pasted by the person: the address of the page that did not load, or the
/// bare code.
///
/// What is copied from a mail or a narrow window may have line breaks within: lines are also read
/// together with those before.
final class PastedResponse: LoginEventSource {
  private var lines: TypedLines
  private let showsQR: () -> Void
  /// The lines so far that may be parts of an address.
  private var parts: [String] = []
  /// Why the last line was of no use, until it is said.
  private var complaint: String?

  /// Reads from a descriptor; `showsQR` shows the address as a picture.
  init(from input: Int32, showsQR: @escaping () -> Void) {
    (lines, self.showsQR) = (TypedLines(from: input), showsQR)
  }

  var descriptor: Int32? { lines.descriptor }
  private var input: Int32 { lines.input }

  func advance(
    _ expected: AuthorizationResponse.Expectation
  ) -> Result<AuthorizationResponse, OAuthError>? {
    for pasted in lines.read() {
      if let result = outcome(of: pasted, expected) { return result }
    }
    // The next line of what was pasted may be the rest of the address.
    if let complaint, !lines.isWithinLine, !hasMore {
      say(complaint)
      self.complaint = nil
    }
    return nil
  }

  private func outcome(
    of pasted: String, _ expected: AuthorizationResponse.Expectation
  ) -> Result<AuthorizationResponse, OAuthError>? {
    guard pasted.utf8.contains(where: { $0 > 0x20 }) else { return nil }
    // In the midst of what was pasted, it is a piece of that.
    if isatty(input) != 0, let request = TypedRequest(pasted), complaint == nil, !hasMore {
      if case .giveUp = request { return .failure(.interrupted) }
      showsQR()
      return nil
    }
    parts.append(pasted)
    while parts.count > 1, parts.reduce(0, { $0 + $1.utf8.count }) > CallbackSocket.limit {
      parts.removeFirst()
    }
    // The longest first: the last part alone may look like a code.
    for first in parts.indices.dropLast() {
      guard let result = response(in: parts[first...].joined(), expected, mayBeCode: false) else {
        continue
      }
      return result
    }
    return response(in: pasted, expected, mayBeCode: true)
  }

  private func response(
    in text: String, _ expected: AuthorizationResponse.Expectation, mayBeCode: Bool
  ) -> Result<AuthorizationResponse, OAuthError>? {
    do throws(OAuthError) {
      let response = try AuthorizationResponse(pasted: text, expected: expected)
      if let response, !response.hasState, !Self.looksLikeCode(text) {
        if mayBeCode { complaint = "That is neither the address of the last page nor a code." }
        return nil
      }
      // What a script pipes in may be anything, even a secret meant for another question.
      if let response, response.hasState || mayBeCode && isatty(input) != 0 {
        return .success(response)
      }
      if mayBeCode { complaint = Self.complaint(about: text) }
      return nil
    } catch {
      guard case .malformed(let reason) = error else { return .failure(error) }
      if mayBeCode { complaint = Self.complaint(about: text, because: reason) }
      return nil
    }
  }

  /// Whether a text may be a code that somebody copied: one word, and long enough.
  ///
  /// RFC 6749 §10.10: "The probability of an attacker guessing generated tokens […] MUST be less than
  /// or equal to 2^(-128)", which takes 22 characters; the servers with the shortest codes have 20
  /// hexadecimal digits, and 16 leaves room. A shorter word is somebody typing.
  private static func looksLikeCode(_ text: String) -> Bool {
    let words = text.utf8.split { $0 <= 0x20 }
    return words.count == 1 && words[0].count >= 16
  }

  /// Why an address is not the one that is waited for.
  private static func complaint(about text: String) -> String {
    guard let parameters = text.utf8.firstIndex(of: UInt8(ascii: "?")),
      text[parameters...].contains("code=")
    else { return "That is not the address of this sign-in's last page; use the newest tab." }
    return text[parameters...].contains("state=")
      ? "That is not the address of this sign-in's last page, or is cut off; use the newest tab."
      : "That address is cut off; paste all of it, from http to its end."
  }

  /// Why a text cannot be used.
  private static func complaint(about text: String, because reason: String) -> String {
    // RFC 6749 §4.1.1: what the authorization request begins with.
    text.contains("response_type=")
      ? "That is the address to open; paste the one that your browser shows after you allowed it."
      : "That cannot be used: \(reason). Paste the whole address, from http to its end."
  }

  private var hasMore: Bool {
    var input = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
    return poll(&input, 1, 50) > 0 && input.revents & Int16(POLLIN) != 0
  }

  private func say(_ line: String) {
    if isatty(input) != 0 { Terminal.say(line) }
  }
}
