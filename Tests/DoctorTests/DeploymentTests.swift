import DeploymentSimulator
import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `doctor on deployments` {
  @Test func `finds that nobody is signed in, until somebody is`() throws {
    try Desk.with { desk in
      let report = try desk.doctor()
      try report.expect("server", "warning", saying: "nobody is signed in", fix: "coder-cred login")
      #expect(report.result.status == 0)
      try desk.login()
      let after = try desk.doctor()
      try after.expect("server", "ok", saying: "\(desk.url), Coder v")
      try after.expect("session", "ok", saying: "alice at \(desk.url): its token works")
    }
  }

  @Test func `finds a server that does not answer, or is no deployment`() throws {
    try Desk.withSession { desk in
      desk.deployment.inject(.drop, at: "/*", times: 9)
      let silent = try desk.doctor()
      try silent.expect("server", "failure", saying: "did not answer")
      #expect(silent.result.status == 75)
      // What cannot be asked is not reported once more.
      #expect(silent["OAuth"].isEmpty && silent["client"].isEmpty && silent["session"].isEmpty)
      desk.deployment.clearFaults()
      desk.deployment.inject(.htmlPage, at: "/*", times: 9)
      try desk.doctor().expect("server", "failure", saying: "does not answer as a Coder deployment")
      desk.deployment.clearFaults()
      try desk.doctor().expect("server", "ok")
    }
  }

  @Test func `names the proxy, without its password`() throws {
    try Desk.with { desk in
      try desk.configure("default-deployment=https://coder.example")
      let port = try LoopbackListener.freePort()
      let report = try desk.doctor(
        environment: ["HTTPS_PROXY": "http://user:\(desk.plant())@127.0.0.1:\(port)"])
      try report.expect(
        "server", "failure", saying: "through the proxy 127.0.0.1:\(port)", fix: "HTTPS_PROXY")
      try desk.doctor(environment: ["HTTPS_PROXY": "gopher://x"]).expect(
        "server", "failure", saying: "HTTPS_PROXY")
    }
  }

  @Test func `finds that the proxy of everything is gone, until it is back or not named`() throws {
    try Desk.with { desk in
      let gone = try LoopbackListener.freePort()
      let variable = ["https_proxy": "http://user:\(desk.plant())@127.0.0.1:\(gone)"]
      let line = try desk.doctor(environment: variable).expect(
        "proxy", "warning", saying: "https_proxy names 127.0.0.1:\(gone), where nothing answers")
      #expect(line.fix == "unset https_proxy, or correct it")
      #expect(try desk.doctor(after: "unset https_proxy", environment: variable)["proxy"].isEmpty)
      // Whatever answers there is a proxy, as far as can be told without using it.
      try desk.doctor(environment: ["https_proxy": desk.url]).expect(
        "proxy", "ok", saying: "https_proxy names 127.0.0.1:\(desk.deployment.port)")
    }
  }

  @Test func `finds a proxy that does not answer, until the right one is named`() throws {
    try Desk.withSession { desk in
      // The proxy stands for a network in which the name leads to the deployment.
      let port = try LoopbackListener.freePort()
      let directory = desk.directory
      let places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map { "\($0)_temp_path \(directory)/\($0);" }
      try desk.write(
        """
        daemon off; master_process off; pid \(directory)/nginx.pid; error_log \(directory)/nginx.log;
        events {}
        http {
          access_log off; \(places.joined(separator: " "))
          server {
            listen 127.0.0.1:\(port);
            location / { proxy_pass http://127.0.0.1:\(desk.deployment.port); }
          }
        }
        """, to: "\(directory)/nginx.conf")
      _ = try desk.desktop.start("nginx", ["-c", "\(directory)/nginx.conf"])
      waitFor("nginx") { (try? Exchange.send("GET", "http://127.0.0.1:\(port)/")) != nil }
      let url = "http://coder.example"
      try desk.configure("allow-http=true\ndefault-deployment=\(url)")
      let dead = try desk.doctor(
        environment: ["http_proxy": "http://127.0.0.1:\(try LoopbackListener.freePort())"])
      let broken = try #require(
        dead["server"].first { $0.message.contains("through the proxy 127.0.0.1:") })
      #expect(broken.status == "failure" && broken.fix?.contains("PROXY") == true, "\(broken)")
      #expect(dead.result.status == 75)
      let mended = try desk.doctor(environment: ["http_proxy": "http://127.0.0.1:\(port)"])
      #expect(
        mended["server"].contains {
          $0.status == "ok" && $0.message.hasPrefix("\(url), Coder v")
            && $0.message.hasSuffix(", through the proxy 127.0.0.1:\(port)")
        }, "\(mended.lines)")
    }
  }

  @Test func `finds a certificate that is not trusted, until its authority is named`() throws {
    try Desk.with { desk in
      let (url, certificate) = try desk.startTLSServer()
      try desk.configure("default-deployment=\(url)")
      let report = try desk.doctor()
      try report.expect("server", "failure", saying: "not trusted", fix: "ca-file")
      #expect(report.result.status == 77)
      expectSilence(try desk.run(["config", "set", "--url", url, "ca-file", certificate]))
      // It is trusted now, and no deployment.
      let trusted = try desk.doctor()
      try trusted.expect("server", "failure", saying: "not answer as a Coder deployment")
      #expect(trusted.result.status == 76)
    }
  }

  @Test(arguments: [
    ("Thu, 01 Jan 1970 00:00:00 GMT", "ahead of"), ("Fri, 01 Jan 2100 00:00:00 GMT", "behind"),
  ])
  func `finds a clock that is wrong`(date: String, words: String) throws {
    try Desk.withSession { desk in
      desk.deployment.changeResponses(at: "GET /api/v2/buildinfo", times: 1) { response, _ in
        response["Date"] = date
      }
      try desk.doctor().expect("clock", "warning", saying: words, fix: "timedatectl")
      try desk.doctor().expect("clock", "ok")
    }
  }

  @Test func `tells what the server offers of OAuth, and what follows`() throws {
    for era in DeploymentSimulator.Era.allCases {
      try Desk.withSession(.init(era: era)) { desk in
        let line = try desk.doctor().expect("OAuth", "ok")
        #expect(line.message.contains("before 2.38") == (era != .c), "\(line)")
      }
    }
    try Desk.with { desk in
      try desk.configure("default-deployment=\(desk.url)")
      desk.deployment.setRegistration(enabled: false)
      try desk.doctor().expect(
        "OAuth", "warning", saying: "does not let programs register", fix: "dcr enable")
      desk.deployment.setProvider(enabled: false)
      try desk.doctor().expect(
        "OAuth", "warning", saying: "offers none", fix: "CODER_OAUTH2_PROVIDER")
      desk.deployment.setProvider(enabled: true)
      desk.deployment.setRegistration(enabled: true)
      try desk.doctor().expect("OAuth", "ok")
    }
  }

  @Test func `finds that what the server says of OAuth makes no sense, until it does`() throws {
    try Desk.withSession { desk in
      for fault in [
        DeploymentSimulator.Fault.invalidJSON, .mergePatch(#"{"issuer":"http://x.example"}"#),
      ] {
        desk.deployment.inject(fault, at: .metadata, times: 9)
        let report = try desk.doctor()
        let line = try report.expect("OAuth", "failure")
        #expect(line.message.contains(desk.url), "\(line)")
        #expect(report.result.status == 76)
        desk.deployment.clearFaults()
        try desk.doctor().expect("OAuth", "ok")
      }
    }
  }

  @Test(.enabled(if: isFullRun, "takes a minute; CODER_CRED_FULL=1 runs it"))
  func `asks no more deployments when those before took too long`() throws {
    try Desk.with { desk in
      for number in 10...23 {
        let url = "\(desk.url)/\(number)"
        let payload = """
          {"v":1,"url":"\(url)","account":"alice","method":"token","token_type":"Bearer",\
          "access_token":"\(desk.plant())"}
          """
        try desk.desktop.storeAsOtherApplication(
          payload, label: "alice @ \(number) (Coder)",
          ["application": "coder-cred", "kind": "session", "account": "alice", "deployment": url])
      }
      func servers() throws -> [ReportLine] {
        let result = try desk.run(
          ["doctor", "--json"], environment: desk.path(desk.install()), timeoutSeconds: 150)
        return try Report(result)["server"]
      }
      desk.deployment.inject(.hold, at: "/*", times: 100)
      let slow = try servers()
      #expect(slow.count == 14 && slow.allSatisfy { $0.status == "failure" }, "\(slow)")
      #expect(slow.first?.message.contains("did not answer") == true, "\(slow)")
      let notAsked = "\(desk.url)/23 is not asked: the others took too long"
      #expect(slow.last?.message == notAsked, "\(slow)")
      desk.deployment.clearFaults()
      desk.deployment.releaseHeld()
      #expect(try servers().allSatisfy { !$0.message.contains("is not asked") })
    }
  }

  @Test func `finds that the deployment has forgotten this machine's client`() throws {
    try Desk.withSession { desk in
      try desk.doctor().expect("client", "ok", saying: "knows this machine's")
      desk.deployment.deleteClient()
      let report = try desk.doctor()
      try report.expect(
        "client", "failure", saying: "no longer knows", fix: "coder-cred login \(desk.url)")
      #expect(report.result.status == 1)
      try desk.login()
      try desk.doctor().expect("client", "ok")
      // The management token may have been replaced by asking: what is kept still works.
      try desk.doctor().expect("client", "ok")
      try desk.token()
    }
  }

  @Test func `finds sessions that have ended, were lost, or are not ours`() throws {
    try Desk.withSession { desk in
      try desk.expire()
      desk.deployment.expireAccessTokens()
      try desk.doctor().expect("session", "ok", saying: "renewed at its next use")
      let item = try desk.desktop.item()
      var payload = item.payload
      payload["refresh_token"] = nil
      payload["expires_at"] = 1_700_000_000
      let text = try JSONSerialization.data(
        withJSONObject: payload, options: .withoutEscapingSlashes)
      try desk.desktop.overwrite(item, with: String(decoding: text, as: UTF8.self))
      let ended = try desk.doctor()
      try ended.expect(
        "session", "failure", saying: "it has ended",
        fix: "coder-cred login \(desk.url) --account alice")
      #expect(ended.result.status == 1)
      try desk.login()
      try desk.doctor().expect("session", "ok", saying: "its token works")
      try desk.desktop.overwrite(desk.desktop.item(), with: "{}")
      let odd = try desk.doctor()
      try odd.expect("session", "failure", saying: "not ours to use", fix: "--force")
      #expect(odd.result.status == 65)
    }
  }
}
