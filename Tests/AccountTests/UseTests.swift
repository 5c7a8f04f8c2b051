import DeploymentSimulator
import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `The default deployment` {
  @Test func `The default deployment is the one that a command without a URL means`() throws {
    try Desk.with { desk in
      let other = try desk.anotherDeployment()
      defer { other.stop() }
      try desk.login()
      try desk.login(to: other.url)
      #expect(try desk.run(["token"]).status == 64)
      #expect(try desk.run(["use", other.url]).stdout == "\(other.url)\n")
      #expect(try desk.run(["token"]).status == 0)
      #expect(try desk.run(["use"]).stdout == "\(other.url)\n")
      #expect(
        try desk.run(["use", "--json"]).stdout == "{\"default_deployment\":\"\(other.url)\"}\n")
      let rows = try desk.run(["status", "--json"]).rows()
      let chosen = rows.filter { $0["default"] as? Bool == true }
      #expect(chosen.map { $0["deployment"] as? String } == [other.url])
      let manners = try FileManager.default.attributesOfItem(
        atPath: (desk.configuration as NSString).deletingLastPathComponent)
      #expect(manners[.posixPermissions] as? Int == 0o700)
    }
  }

  @Test func `Comments, other keys and other groups stay as they were`() throws {
    try Desk.with { desk in
      let before = """
        # mine
        [coder-cred]
        # how early
        refresh-margin=120
        default-deployment=https://old.example

        # a deployment
        [https://dev.example]
        scopes=user:read workspace:read

        """
      try desk.write(before, to: desk.configuration)
      chmod(desk.configuration, 0o640)
      #expect(try desk.run(["use", "--force", "https://new.example/coder/"]).status == 0)
      let after = try String(contentsOfFile: desk.configuration, encoding: .utf8)
      // GLib sets an empty line between a comment and the group below it, once.
      #expect(
        after.split(separator: "\n")
          == before.replacing("https://old.example", with: "https://new.example/coder")
          .split(separator: "\n"))
      #expect(try desk.run(["use", "--force", "https://new.example/coder"]).status == 0)
      #expect(try String(contentsOfFile: desk.configuration, encoding: .utf8) == after)
      let mode = try FileManager.default.attributesOfItem(atPath: desk.configuration)
      #expect(mode[.posixPermissions] as? Int == 0o640)
      let folder = (desk.configuration as NSString).deletingLastPathComponent
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["config"])
    }
  }

  @Test func `A link into a repository of dot-files stays a link`() throws {
    try Desk.with { desk in
      let real = "\(desk.directory)/home/dotfiles/coder-cred.conf"
      try desk.write("[coder-cred]\n", to: real)
      try desk.write("", to: desk.configuration)
      try FileManager.default.removeItem(atPath: desk.configuration)
      try FileManager.default.createSymbolicLink(
        atPath: desk.configuration, withDestinationPath: real)
      #expect(try desk.run(["use", "--force", "https://h.example"]).status == 0)
      #expect(
        try FileManager.default.destinationOfSymbolicLink(atPath: desk.configuration) == real)
      #expect(
        try String(contentsOfFile: real, encoding: .utf8)
          == "[coder-cred]\ndefault-deployment=https://h.example\n")
    }
  }

  @Test(arguments: ["nothing", "itself", "a directory", "no key file"])
  func `A file that cannot be changed is left as it is, and said`(_ kind: String) throws {
    try Desk.with { desk in
      let folder = (desk.configuration as NSString).deletingLastPathComponent
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
      let files = FileManager.default
      switch kind {
      case "nothing":
        try files.createSymbolicLink(
          atPath: desk.configuration, withDestinationPath: "\(folder)/gone")
      case "itself":
        try files.createSymbolicLink(
          atPath: desk.configuration, withDestinationPath: desk.configuration)
      case "a directory":
        try files.createDirectory(atPath: desk.configuration, withIntermediateDirectories: false)
      default: try desk.write("not a key file\n", to: desk.configuration)
      }
      let result = try desk.run(["use", "--force", "https://h.example"])
      #expect(result.status == 64, "\(result.stderr)")
      #expect(result.stdout.isEmpty)
      #expect(try files.contentsOfDirectory(atPath: folder) == ["config"])
    }
  }

  @Test func `A deployment nobody is signed in to is refused, unless forced`() throws {
    try Desk.with { desk in
      let result = try desk.run(["use", "https://h.example"])
      #expect(result.status == 1)
      #expect(result.stderr.contains("hint: coder-cred login https://h.example"))
      #expect(try desk.run(["use", "http://h.example", "--force"]).status == 65)
      let none = try desk.run(["use"])
      #expect(none.status == 0 && none.stdout.isEmpty)
      #expect(none.stderr == "No default deployment is set.\n")
      #expect(!FileManager.default.fileExists(atPath: desk.configuration))
    }
  }

  @Test func `An account chosen elsewhere says that the default deployment changes, too`() throws {
    try Desk.with { desk in
      let other = try desk.anotherDeployment()
      defer { other.stop() }
      try desk.login()
      try desk.login(to: other.url)
      #expect(try desk.run(["use", desk.url]).stderr.contains("It is now") == false)
      let result = try desk.run(["use", other.url, "--account", "alice"])
      #expect(
        result.stderr.contains(
          "It is now the default deployment; before it was \(desk.url): coder-cred use "
            + desk.url))
    }
  }

  @Test func `A variable that comes first is mentioned`() throws {
    try Desk.with { desk in
      let result = try desk.run(
        ["use", "--force", "https://h.example"], environment: ["CODER_URL": "https://env.example"])
      #expect(result.status == 0)
      #expect(result.stderr == "CODER_URL comes first here: https://env.example\n")
    }
  }
}
