import Foundation

/// The control endpoint, for scripts: `POST /__control` and `GET /__log`, logged nowhere.
extension DeploymentSimulator {
  func control(_ request: Request) -> Response? {
    switch (request.method, request.path) {
    case ("GET", "/__log"): return .json(200, .array(requests.map(\.json)))
    case ("POST", "/__control"):
      guard let command = JSON(parsing: request.body), let name = command["command"]?.string else {
        return .message(400, "A command is a JSON object with a member \"command\".")
      }
      return perform(name, command) ?? .message(400, "Unknown command \(name).")
    case (_, "/__log"), (_, "/__control"): return .empty(405)
    default: return nil
    }
  }

  private static let done = Response.json(200, ["ok": true])

  private func perform(_ name: String, _ command: JSON) -> Response? {
    let user = command["user"]?.string
    let id = command["id"]?.string
    switch name {
    case "settings": return changeSettings(command["patch"] ?? [:])
    case "inject": return plan(command)
    case "clearFaults": clearFaults()
    case "releaseHeld": releaseHeld()
    case "advanceClock": advanceClock(seconds: command["seconds"]?.integer ?? 0)
    case "expireAccessTokens": expireAccessTokens()
    case "expireRefreshTokens": expireRefreshTokens()
    case "revokeGrant": revokeGrant(user: user)
    case "revokeAccessTokens": revokeAccessTokens()
    case "deleteClient": deleteClient(id)
    case "deleteClientSecrets": deleteClientSecrets(id ?? "")
    case "narrowAllowlist": narrowAllowlist(id ?? "", to: command["scope"]?.string)
    case "suspend": suspend(user ?? settings.users.first ?? "")
    case "reactivate": reactivate(user ?? settings.users.first ?? "")
    case "setProvider": setProvider(enabled: command["enabled"]?.bool ?? true)
    case "setRegistration": setRegistration(enabled: command["enabled"]?.bool ?? true)
    case "clearLog": clearLog()
    case "session":
      let token = session(user: user ?? settings.users.first ?? "alice")
      return .json(200, ["session_token": .string(token)])
    case "addApplication":
      let made = addApplication(
        name: command["name"]?.string ?? "Application",
        redirectURIs: command["redirect_uris"]?.strings ?? [], scope: command["scope"]?.string)
      return .json(200, ["client_id": .string(made.id), "client_secret": .string(made.secret)])
    case "counters": return counters(command)
    default: return nil
    }
    return Self.done
  }

  private func counters(_ command: JSON) -> Response {
    var members: JSON = [
      "live_token_pairs": .integer(liveTokenPairs),
      "registered_clients": .strings(registeredClients),
      "requests": .integer(requests.count),
      "refreshes": .integer(requests.tokenRequests(grant: "refresh_token").count),
    ]
    if let token = command["access_token"]?.string {
      members.set("access_token_valid", .bool(isValid(accessToken: token)))
    }
    if let token = command["refresh_token"]?.string {
      members.set("refresh_token_valid", .bool(isValid(refreshToken: token)))
    }
    return .json(200, members)
  }

  private func changeSettings(_ patch: JSON) -> Response {
    guard let encoded = try? JSONEncoder().encode(settings),
      let current = JSON(parsing: [UInt8](encoded)),
      let merged = try? JSONDecoder().decode(
        Settings.self, from: Data(current.merging(patch).text.utf8))
    else { return .message(400, "The patch does not fit the settings.") }
    settings = merged
    return Self.done
  }

  private func plan(_ command: JSON) -> Response {
    guard let fault = Self.fault(command) else { return .message(400, "Unknown fault.") }
    let endpoint: Endpoint
    switch command["at"]?.string ?? "refresh" {
    case "refresh": endpoint = .refresh
    case "exchange": endpoint = .exchange
    case "metadata": endpoint = .metadata
    case "registration": endpoint = .registration
    case let text: endpoint = Endpoint(text)
    }
    inject(
      fault, at: endpoint, times: command["times"]?.integer ?? 1,
      afterActing: command["afterActing"]?.bool ?? false)
    return Self.done
  }

  private static func fault(_ command: JSON) -> Fault? {
    let number = command["milliseconds"]?.integer ?? command["mebibytes"]?.integer ?? 1
    let text = command["value"]?.string ?? ""
    switch command["fault"]?.string {
    case "status":
      var headers: [String: String] = [:]
      if case .object(let members)? = command["headers"] {
        for member in members { headers[member.name] = member.value.string }
      }
      return .status(
        command["status"]?.integer ?? 500, body: command["body"]?.string ?? "", headers: headers)
    case "delay": return .delay(milliseconds: number)
    case "hold": return .hold
    case "drop": return .drop
    case "cut": return .cut
    case "garbage": return .garbage
    case "raw": return .raw(Array(text.utf8))
    case "truncatedJSON": return .truncatedJSON
    case "invalidJSON": return .invalidJSON
    case "htmlPage": return .htmlPage
    case "emptyBody": return .emptyBody
    case "contentType": return .contentType(text)
    case "hugeBody":
      return .hugeBody(mebibytes: number, declared: command["declared"]?.bool ?? true)
    case "gzipBomb": return .gzipBomb(mebibytes: number)
    case "endlessHeaders": return .endlessHeaders
    case "drip": return .drip(millisecondsPerByte: number)
    case "redirect": return .redirect(to: text, status: command["status"]?.integer ?? 302)
    case "oauthErrorIn200": return .oauthErrorIn200(text)
    case "mergePatch": return .mergePatch(command["patch"]?.text ?? text)
    default: return nil
    }
  }
}
