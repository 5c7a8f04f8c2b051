import Glibc
import Login
import OAuth

/// A sign of life on the terminal while a browser is waited for. It brings no answer.
final class Spinner: LoginEventSource {
  /// What is drawn, one after the other.
  static let pictures =
    Charset.isUTF8
    ? ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"] : ["|", "/", "-", "\\"]

  private let text: String
  private let ticker = Ticker(milliseconds: 120)
  private var step = 0

  /// Spins beside a text; nil where nobody would see it, or see only rubbish.
  init?(_ text: String, _ environment: Environment) {
    guard isatty(STDERR_FILENO) != 0, let terminal = environment["TERM"], terminal != "dumb" else {
      return nil
    }
    self.text = text
  }

  var descriptor: Int32? { ticker.descriptor }

  func advance(
    _ expected: AuthorizationResponse.Expectation
  ) -> Result<AuthorizationResponse, OAuthError>? {
    ticker.take()
    Terminal.draw("\(Self.pictures[step]) \(text)")
    step = (step + 1) % Self.pictures.count
    return nil
  }

  /// Leaves the line as it was found.
  func clear() { Terminal.draw("") }
}
