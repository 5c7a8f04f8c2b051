import Glibc

/// One reader of what others wrote, and what must hold of everything that it accepts.
struct FuzzTarget: Sendable {
  /// What `packaging/fuzz` calls it, and the folder of its seeds.
  let name: String
  /// The longest input that is tried, in bytes.
  var maximumBytes = 4096
  /// Reads an input, and stops the process when something does not hold.
  let test: @Sendable ([UInt8]) -> Void

  /// Every target.
  static let all = [
    gitRequest, deploymentURL, storedPayload, settingsFile, metadata, registration, tokenResponse,
    callbackRequest, busMessage, busConversation, toolInput, commandLine,
  ]

  /// The target of this process.
  nonisolated(unsafe) static var current: FuzzTarget?
}

/// Stops the process with the property that does not hold; libFuzzer keeps the input then.
func expect(
  _ holds: Bool, _ property: @autoclosure () -> String, file: StaticString = #fileID,
  line: UInt = #line
) {
  guard !holds else { return }
  say("does not hold: \(property()) (\(file):\(line))")
  abort()
}

/// Says something on standard error.
func say(_ text: String) {
  let line = "fuzz: \(text)\n"
  _ = write(STDERR_FILENO, line, line.utf8.count)
}

/// What a body returns; stops the process when it throws.
func expectNoError<Value>(
  _ property: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line,
  _ body: () throws -> Value
) -> Value {
  do {
    return try body()
  } catch {
    expect(false, "\(property()): \(error)", file: file, line: line)
    fatalError()
  }
}

extension Sequence<UInt8> {
  /// The same as text, whatever it holds.
  var text: String { String(decoding: Array(self), as: UTF8.self) }
}
