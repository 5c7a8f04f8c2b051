import DeploymentSimulator
import Glibc

let usage = """
  usage: deployment-simulator serve [--era A|B|C] [--port N] [--host ADDRESS] [--base-path P]
           [--issuer URL] [--access-lifetime S] [--refresh-lifetime S] [--no-dcr] [--provider-off]
           [--no-oauth] [--device-grant] [--user NAME]... [--canary TEXT] [--url-file FILE]
           [--until-stdin-closes]
         deployment-simulator browse [--deny] [--user NAME] [--handler PROGRAM] URL
  """

/// One line, unbuffered, on standard error unless told otherwise.
func say(_ line: String, on descriptor: Int32 = 2) {
  let bytes = Array((line + "\n").utf8)
  _ = write(descriptor, bytes, bytes.count)
}

func complain(_ text: String) -> Never {
  say(text)
  exit(64)
}

/// What the command line of `serve` asks for.
struct ServeOptions {
  var settings = DeploymentSimulator.Settings()
  var urlFile: String?
  var untilInputCloses = false

  init(_ arguments: [String]) {
    var rest = arguments[...]
    var users: [String] = []
    while let option = rest.popFirst() {
      func value() -> String {
        guard let value = rest.popFirst() else { complain("\(option) needs a value\n\(usage)") }
        return value
      }
      func number() -> Int {
        guard let number = Int(value()), number >= 0 else { complain("\(option) needs a number") }
        return number
      }
      switch option {
      case "--era":
        guard let era = DeploymentSimulator.Era(rawValue: value().uppercased()) else {
          complain("--era is A, B or C")
        }
        settings.era = era
      case "--port": settings.port = number()
      case "--host": settings.host = value()
      case "--base-path": settings.basePath = value()
      case "--issuer": settings.accessURL = value()
      case "--access-lifetime": settings.accessTokenLifetime = number()
      case "--refresh-lifetime": settings.refreshTokenLifetime = number()
      case "--no-dcr": settings.dynamicRegistrationEnabled = false
      case "--provider-off": settings.providerEnabled = false
      case "--device-grant": settings.deviceGrantOffered = true
      case "--no-oauth": settings.oauthAbsent = true
      case "--user": users.append(value())
      case "--canary": settings.canary = value()
      case "--url-file": urlFile = value()
      case "--until-stdin-closes": untilInputCloses = true
      default: complain("unknown option \(option)\n\(usage)")
      }
    }
    if !users.isEmpty { settings.users = users }
  }
}

func serve(_ arguments: [String]) -> Never {
  let options = ServeOptions(arguments)
  // Blocked before any thread starts, so that only sigwait below hears them.
  var signals = sigset_t()
  sigemptyset(&signals)
  for signal in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&signals, signal) }
  pthread_sigmask(SIG_BLOCK, &signals, nil)
  guard let deployment = try? DeploymentSimulator(options.settings) else {
    say("deployment-simulator: cannot listen: \(String(cString: strerror(errno)))")
    exit(75)
  }
  if let path = options.urlFile {
    guard let file = fopen(path, "w") else { complain("cannot write \(path)") }
    fputs(deployment.url + "\n", file)
    fclose(file)
  }
  say("url=\(deployment.url)", on: 1)
  if options.untilInputCloses { watchInput() }
  var received: Int32 = 0
  sigwait(&signals, &received)
  deployment.stop()
  exit(0)
}

/// Ends the program when standard input does: nobody is left behind when the starter dies.
private func watchInput() {
  var thread = pthread_t()
  pthread_create(
    &thread, nil,
    { _ in
      var byte: UInt8 = 0
      while read(0, &byte, 1) > 0 {}
      kill(getpid(), SIGTERM)
      return nil
    }, nil)
}
