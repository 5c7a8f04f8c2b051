import DeploymentSimulator
import TestDesk
import Testing

/// One of those who use everything at once: does one operation after the other, and judges each.
struct SoakWorker {
  private enum Operation: String {
    case get, token, refresh, reject, list, login, logout
    case storePassword, getPassword, erasePassword
  }

  /// As often as each stands here: tools ask far more often than people sign in and out.
  private static let mix: [Operation] =
    Array(repeating: .get, count: 8) + Array(repeating: .token, count: 4)
    + [.refresh, .refresh, .refresh, .reject, .reject, .list, .login, .login, .login, .logout]
    + [.storePassword, .getPassword, .getPassword, .erasePassword]

  private let desk: Desk
  private let deployments: [SoakDeployment]
  private let outages: KeyringOutages
  private let tally: SoakTally
  private let browser: [String: String]
  /// A server whose credentials this worker alone keeps.
  private let place: String
  /// The password that is kept there: none, this one, or nobody can know.
  private var password: Password = .absent

  private enum Password: Equatable {
    case absent
    case kept(String)
    case unknown
  }

  init(_ number: Int, of soak: Soak) {
    desk = soak.desk
    deployments = soak.deployments
    outages = soak.outages
    tally = soak.tally
    browser = soak.browser
    place = "protocol=https\nhost=git-\(number).example.com\nusername=soak\n"
  }

  /// Does one operation at one deployment, both drawn by lot.
  mutating func work() throws {
    let operation = Self.mix.randomElement() ?? .get
    guard let target = deployments.randomElement() else { return }
    let request = "url=\(target.url)\n\n"
    switch operation {
    case .get: try look(operation, at: target, ["get"], request)
    case .token: try look(operation, at: target, ["token", target.url, "--min-ttl", "31536000"])
    case .refresh: try look(operation, at: target, ["refresh", target.url])
    case .reject: try reject(at: target, request)
    case .list: try look(operation, at: target, ["list"])
    case .login:
      // Mostly where it is needed.
      let needed = deployments.filter { $0.hasSession != true }.randomElement() ?? target
      guard needed.hasSession != true || Int.random(in: 0..<4) == 0 else { return }
      try change(operation, at: needed, ["login", needed.url], leaves: true)
    case .logout: try change(operation, at: target, ["logout", target.url], leaves: false)
    case .storePassword: try storePassword()
    case .getPassword: try getPassword()
    case .erasePassword: try erasePassword()
    }
  }

  /// Runs what must find the session, if there is one all the time.
  @discardableResult
  private func look(
    _ operation: Operation, at target: SoakDeployment, _ arguments: [String], _ input: String = ""
  ) throws -> CommandResult {
    let certainty = target.certainty
    let (result, wasDisturbed) = try outages.watched { try desk.run(arguments, input: input) }
    tally.note(operation.rawValue, result.status)
    guard let certainty, certainty == target.certainty else { return result }
    // 75: the deployment has trouble, of which it has plenty. 69: the keyring was away.
    guard ![0, 75].contains(result.status), !(wasDisturbed && result.status == 69) else {
      return result
    }
    target.forget()
    tally.noteLoss("\(arguments) ended with \(result.status): \(result.stderr)")
    return result
  }

  /// What git does with a token that was rejected.
  private func reject(at target: SoakDeployment, _ request: String) throws {
    let got = try look(.get, at: target, ["get"], request)
    guard got.status == 0, let user = got["username"], let token = got["password"] else { return }
    try look(
      .reject, at: target, ["erase"],
      "url=\(target.url)\nusername=\(user)\npassword=\(token)\n\n")
  }

  private func change(
    _ operation: Operation, at target: SoakDeployment, _ arguments: [String], leaves session: Bool
  ) throws {
    try target.change {
      let result = try desk.run(arguments, environment: browser)
      tally.note(operation.rawValue, result.status)
      return result.status == 0 ? session : nil
    }
  }

  // MARK: A password of git's

  private mutating func storePassword() throws {
    let new = desk.plant(String(Int.random(in: 0...Int.max), radix: 36))
    let result = try run(.storePassword, ["store"], place + "password=\(new)\n\n")
    // A write whose reply was lost may have happened.
    password = result.status == 0 ? .kept(new) : .unknown
  }

  private mutating func erasePassword() throws {
    let result = try run(.erasePassword, ["erase"], place + "\n")
    password = result.status == 0 ? .absent : .unknown
  }

  private mutating func getPassword() throws {
    let result = try run(.getPassword, ["get"], place + "\n")
    guard result.status != 69 else { return }
    let found = result["password"].map(Password.kept) ?? .absent
    if password != .unknown, password != found { tally.noteLoss("\(place) is another now") }
    password = found
  }

  /// Runs what only an absent keyring may keep from its end.
  private func run(
    _ operation: Operation, _ arguments: [String], _ input: String
  ) throws -> CommandResult {
    let (result, wasDisturbed) = try outages.watched { try desk.run(arguments, input: input) }
    tally.note(operation.rawValue, result.status)
    let isMissing = arguments == ["get"] && result.status == 1
    #expect(
      result.status == 0 || isMissing || wasDisturbed && result.status == 69,
      "\(arguments): \(result.stderr)")
    return result
  }

  /// Erases the password, when everything has calmed down.
  mutating func finish() throws {
    try getPassword()
    try erasePassword()
    #expect(password == .absent)
  }
}
