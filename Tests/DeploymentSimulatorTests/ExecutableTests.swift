import DeploymentSimulator
import Foundation
import Testing

struct ExecutableTests {
  private static var program: URL {
    URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent().appendingPathComponent("deployment-simulator")
  }

  private func started(_ arguments: [String]) throws -> (Process, Pipe, Pipe) {
    let process = Process()
    let (input, output) = (Pipe(), Pipe())
    process.executableURL = Self.program
    process.arguments = arguments
    process.standardInput = input
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    return (process, input, output)
  }

  @Test func `The program serves, obeys commands and is browsed from a script`() throws {
    let (server, input, output) = try started([
      "serve", "--era", "b", "--user", "bob", "--access-lifetime", "100", "--until-stdin-closes",
    ])
    let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    #expect(line.hasPrefix("url=http://127.0.0.1:"))
    let url = line.dropFirst(4).trimmingCharacters(in: .whitespacesAndNewlines)
    func command(_ text: String) throws -> Exchange {
      try Exchange.send("POST", url + "/__control", body: Array(text.utf8))
    }
    let made = try command(
      #"{"command":"addApplication","redirect_uris":["\#(url)/callback"]}"#)
    let challenge = "&code_challenge=" + PKCE.challenge
    let authorize =
      url + "/oauth2/authorize?response_type=code&client_id=" + (made["client_id"] ?? "")
    let (browser, _, _) = try started(["browse", authorize + challenge])
    browser.waitUntilExit()
    #expect(browser.terminationStatus == 0)
    let (denying, _, _) = try started(["browse", "--deny", authorize + challenge])
    denying.waitUntilExit()
    #expect(denying.terminationStatus == 0)
    let log = try Exchange.send(url + "/__log")
    #expect(log.text.contains(#""path":"/callback","query":["code"]"#))
    #expect(log.text.contains(#""query":["error","error_description"]"#))

    #expect(try command(#"{"command":"settings","patch":{"era":"C"}}"#).status == 200)
    #expect(try Exchange.send(url + "/api/v2/buildinfo")["oauth2_provider"] == "true")
    #expect(try command(#"{"command":"settings","patch":{"era":"Z"}}"#).status == 400)
    let fault = #"{"command":"inject","fault":"status","status":502,"at":"/api/v2/buildinfo"}"#
    #expect(try command(fault).status == 200)
    #expect(try Exchange.send(url + "/api/v2/buildinfo").status == 502)
    #expect(try command(#"{"command":"counters"}"#)["live_token_pairs"] == "0")
    #expect(try command(#"{"command":"nonsense"}"#).status == 400)

    try input.fileHandleForWriting.close()
    server.waitUntilExit()
    #expect(server.terminationStatus == 0)
  }

  @Test func `The program ends at SIGTERM and complains about its arguments`() throws {
    let (server, _, output) = try started(["serve"])
    _ = output.fileHandleForReading.availableData
    server.terminate()
    server.waitUntilExit()
    #expect(server.terminationReason == .exit)
    #expect(server.terminationStatus == 0)
    let (wrong, _, _) = try started(["serve", "--era", "D"])
    wrong.waitUntilExit()
    #expect(wrong.terminationStatus == 64)
  }
}
