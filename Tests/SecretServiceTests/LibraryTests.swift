import Glibc
import TestDesk
import Testing

@testable import SecretService

/// libsecret is loaded when something is written, encrypted or asked for the first time.
@Suite(.timeLimit(.minutes(5))) struct `The library` {
  @Test func `that is not there is named with its package`() {
    guard
      case .libraryUnusable(let reason)? = SecretLibrary.failure(loading: "libno-such.so.0")
    else {
      Issue.record("a library that does not exist was loaded")
      return
    }
    #expect(reason.contains("libsecret-1-0"))
    #expect(reason.contains("libno-such.so.0"))
  }

  @Test func `that lacks a function is not used`() async {
    // The table of functions is the process's only one, hence a process of its own.
    await #expect(processExitsWith: .success) {
      guard case .libraryUnusable(let reason)? = SecretLibrary.failure(loading: "libm.so.6"),
        reason.contains("libm.so.6 lacks the function secret_")
      else { exit(1) }
      exit(0)
    }
  }

  @Test func `is not needed to translate what GLib says`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.withoutBus)
      desktop.enter()
      setenv("DBUS_SESSION_BUS_ADDRESS", "nonsense", 1)
      guard case .busUnreachable = failure({ try SecretService() }) else { exit(1) }
      exit(0)
    }
  }
}
