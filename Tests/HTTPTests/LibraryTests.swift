import Foundation
import Glibc
import TestDesk
import Testing

@testable import HTTP

/// libcurl is loaded when the first request is made, and not before.
@Suite(.timeLimit(.minutes(5))) struct LibraryTests {
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
}
