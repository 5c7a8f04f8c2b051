import Glibc
import Login
import OAuth

/// What a person is told who enters a code in a browser on any device.
struct DevicePrompt {
  let environment: Environment
  /// The address for the person's browser.
  let url: String
  /// The same with the code in it, if there is one.
  let completeURL: String?
  let page: DevicePage
  /// Whether a browser may be opened at all.
  let opensBrowser: Bool

  /// Shows address and code, and opens the address where a browser is.
  ///
  /// The address that a browser is started with never holds the code: every user of this machine can
  /// read it there, and allow the sign-in as somebody else.
  func show() -> [any LoginEventSource] {
    let browser = Browser(environment: environment)
    let isOpened = opensBrowser && browser.isHere && browser.open(url)
    Terminal.say(
      isOpened
        ? "Your browser asks for a code. If none opened, open this address:"
        : "Open this address in a browser, on this machine or any other:")
    Terminal.sayAddress(url, environment)
    Terminal.say("and enter this code there:  \(page.userCode)")
    Terminal.say("")
    let time =
      page.timeoutSeconds < 120
      ? "\(page.timeoutSeconds) s" : "\(page.timeoutSeconds / 60) minutes"
    Terminal.say("Waiting \(time) for you to allow it there …")
    guard Terminal.isInteractive else { return [] }
    Terminal.say("qr shows a QR code for a phone, q gives up.")
    let address = completeURL ?? url
    return [TypedRequests(from: STDIN_FILENO, showsQR: { QRCode.show(address) })]
  }
}

/// What a person may type while something elsewhere is waited for.
final class TypedRequests: LoginEventSource {
  private var lines: TypedLines
  private let showsQR: () -> Void

  init(from input: Int32, showsQR: @escaping () -> Void) {
    (lines, self.showsQR) = (TypedLines(from: input), showsQR)
  }

  var descriptor: Int32? { lines.descriptor }

  func advance(
    _ expected: AuthorizationResponse.Expectation
  ) -> Result<AuthorizationResponse, OAuthError>? {
    for typed in lines.read() {
      switch TypedRequest(typed) {
      case .giveUp: return .failure(.interrupted)
      case .showQR: showsQR()
      case nil: Terminal.say("Type the code in the browser; here, qr shows a QR code, q gives up.")
      }
    }
    return nil
  }
}

/// A word that asks for something while a sign-in waits.
enum TypedRequest {
  case giveUp
  case showQR

  /// Reads a line; nil for any other.
  init?(_ line: String) {
    switch line.lowercased().utf8.filter({ $0 > 0x20 }) {
    case Array("q".utf8), Array("quit".utf8): self = .giveUp
    case Array("qr".utf8): self = .showQR
    default: return nil
    }
  }
}
