import Foundation
import Glibc
import TestDesk
import Testing

@testable import HTTP

/// libcurl is loaded when the first request is made, and not before.
@Suite(.timeLimit(.minutes(1))) struct LibraryTests {
  @Test func `A library that is not there is named with its package`() {
    guard case .libraryUnusable(let reason)? = CurlLibrary.failure(loading: "libno-such.so.4")
    else {
      Issue.record("a library that does not exist was loaded")
      return
    }
    #expect(reason.contains("libcurl4"))
    #expect(reason.contains("libno-such.so.4"))
  }

  @Test func `A library that lacks a function is not used`() async {
    // The table of functions is the process's only one, hence a process of its own.
    await #expect(processExitsWith: .success) {
      guard case .libraryUnusable(let reason)? = CurlLibrary.failure(loading: "libm.so.6"),
        reason.contains("libm.so.6 lacks the function curl_")
      else { exit(1) }
      exit(0)
    }
  }

  @Test func `Neither a client nor its settings load libcurl, but the first request does`() async {
    await #expect(processExitsWith: .success) {
      func isLoaded() -> Bool { dlopen("libcurl.so.4", RTLD_LAZY | RTLD_NOLOAD) != nil }
      let client = CurlClient(settings: settings())
      guard !isLoaded() else { exit(1) }
      do throws(HTTPError) {
        _ = try client.send(HTTPRequest(url: "http://127.0.0.1:1/"))
      } catch {
        guard error.kind == .unreachable else { exit(2) }
      }
      exit(isLoaded() ? 0 : 3)
    }
  }

  /// The sections of a program that tell what it loads.
  private func readelf(_ option: String, _ section: String = "") throws -> String {
    let program = try Products.executable("coder-cred-engine")
    // Not its status: notes of the Swift toolchain make it complain.
    let result = try ChildProcess.run(
      "readelf", ["--wide", option] + (section.isEmpty ? [] : [section]) + [program])
    try #require(!result.timedOut)
    return result.stdout
  }

  @Test func `The full program is not linked with libcurl, and says that it may load it`() throws {
    #expect(try !readelf("--dynamic").contains("libcurl"))
    let notes = try readelf("--notes").components(separatedBy: "\n")
    // The UAPI Group's note type for dlopen metadata; older readelf does not know its name.
    let isKnown = notes.contains { line in
      line.contains("FDO") && (line.contains("0x407c0c0a") || line.contains("DLOPEN"))
    }
    #expect(isKnown)
    let text = try readelf("--string-dump", ".note.dlopen")
    let start = try #require(text.range(of: "[{")).lowerBound
    let json = Data(text[start...].prefix { $0 != "\n" }.utf8)
    let entries = try #require(
      JSONSerialization.jsonObject(with: json) as? [[String: Any]])
    #expect(entries.count == 1)
    #expect(entries.first?["soname"] as? [String] == [CurlLibrary.soname])
    #expect(entries.first?["priority"] as? String == "required")
  }
}
