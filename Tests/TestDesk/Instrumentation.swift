import Foundation

/// What programs have to be told that were built to count the lines they execute, or to watch
/// themselves: see `packaging/coverage` and `packaging/sanitize`. Nothing for any other.
enum Instrumentation {
  /// For programs of the user who runs the tests.
  static let environment = ProcessInfo.processInfo.environment.filter {
    ["LLVM_PROFILE_FILE", "ASAN_OPTIONS", "TSAN_OPTIONS"].contains($0.key)
  }

  /// For programs of another user, who cannot add to files of ours.
  static let otherUser = environment.filter { $0.key == "LLVM_PROFILE_FILE" }
    .mapValues { $0.replacing("%m", with: "%m-%p") }
}
