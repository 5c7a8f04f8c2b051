import Foundation
import TestDesk
import Testing

/// A process of ours, as root can look into it.
struct ProcessMemory {
  let process: Int32

  /// The files that are mapped into it.
  var mappedFiles: Set<String> {
    Set(lines("maps").compactMap { $0.split(separator: " ").last }.map(String.init))
      .filter { $0.hasPrefix("/") }
  }

  /// Whether it has become this program.
  func isRunning(_ program: String) -> Bool {
    let name = "/" + ((program as NSString).lastPathComponent)
    return mappedFiles.contains { $0.hasSuffix(name) }
  }

  /// A line of its `/proc/PID/limits` or `status`.
  func line(_ start: String, of file: String) -> String? {
    lines(file).first { $0.hasPrefix(start) }.map(String.init)
  }

  /// How often its writable memory holds some text.
  func count(of text: String) -> Int {
    let memory = open("/proc/\(process)/mem", O_RDONLY | O_CLOEXEC)
    guard memory >= 0 else { return 0 }
    defer { close(memory) }
    return lines("maps").reduce(0) { count, line in
      let fields = line.split(separator: " ")
      guard fields.count > 1, fields[1].hasPrefix("rw") else { return count }
      let bounds = fields[0].split(separator: "-").compactMap { Int($0, radix: 16) }
      // What is larger is nobody's data, but a sanitizer's.
      guard bounds.count == 2, bounds[1] - bounds[0] < 1 << 30 else { return count }
      return count + Self.count(of: text, in: memory, from: bounds[0], to: bounds[1])
    }
  }

  private static func count(of text: String, in memory: Int32, from: Int, to end: Int) -> Int {
    var bytes = [UInt8](repeating: 0, count: end - from)
    let read = pread(memory, &bytes, bytes.count, off_t(from))
    guard read > 0 else { return 0 }
    let data = Data(bytes[..<read])
    var found = 0
    var rest = data.startIndex
    while let range = data.range(of: Data(text.utf8), in: rest..<data.endIndex) {
      found += 1
      rest = range.upperBound
    }
    return found
  }

  private func lines(_ file: String) -> [Substring] {
    String(decoding: Self.content("/proc/\(process)/\(file)"), as: UTF8.self)
      .split(separator: "\n")
  }

  /// A file whose size nobody tells, as those below /proc, to its end.
  static func content(_ path: String) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while case let count = read(descriptor, &buffer, buffer.count), count > 0 {
      content += buffer[..<count]
    }
    return content
  }
}

extension Desk {
  /// Looks into a program of ours at the moment when it writes its answer: standard output is a pipe
  /// that is full. It must end well when the pipe is read.
  func atOutput<Value>(
    of program: String, _ arguments: [String], environment: [String: String] = [:],
    attempts: Int = 5, sourceLocation: SourceLocation = #_sourceLocation,
    _ look: (ProcessMemory) throws -> Value
  ) throws -> Value {
    let pipe = "\(directory)/full-\(UUID())"
    let script = """
      mkfifo "$1" && exec 3<>"$1" && head -c 65536 /dev/zero >&3 && exec >&3 3>&- && shift && exec "$@"
      """
    let child = try desktop.start(
      "/bin/sh", ["-c", script, "sh", pipe, program] + arguments, environment: environment,
      log: "\(directory)/errors")
    defer { desktop.end(child) }
    let isFastPath = program == self.program && environment["CODER_CRED_ENGINE"] == nil
    var isHandedOver = false
    waitFor("the answer", sourceLocation: sourceLocation) {
      isHandedOver = isFastPath && ProcessMemory(process: child.pid).isRunning(fullProgram)
      let wait = (try? String(contentsOfFile: "/proc/\(child.pid)/syscall", encoding: .utf8)) ?? ""
      let isWriting = wait.hasPrefix("\(Self.numberOfWrite) 0x1 ")
      return child.exit != nil || isHandedOver
        || isWriting && ProcessMemory(process: child.pid).isRunning(program)
    }
    // A busy machine made it hand over: then once more.
    if isHandedOver && attempts > 1 {
      return try atOutput(
        of: program, arguments, environment: environment, attempts: attempts - 1,
        sourceLocation: sourceLocation, look)
    }
    let value = try look(ProcessMemory(process: child.pid))
    let drained = try desktop.run("head", ["-c", "65537", pipe])
    #expect(drained.status == 0, sourceLocation: sourceLocation)
    #expect(
      child.waitForExit() == .status(0), "\(child.logText)",
      sourceLocation: sourceLocation)
    return value
  }

  /// The number of write(2).
  private static var numberOfWrite: Int {
    #if arch(x86_64)
      1
    #else
      64
    #endif
  }

  /// The processes that were started for this desk, by the names of their programs.
  var processes: [(name: String, memory: ProcessMemory)] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return all.compactMap { Int32($0) }.compactMap { process in
      let environment = Data(ProcessMemory.content("/proc/\(process)/environ"))
      guard environment.range(of: Data("\(directory)/".utf8)) != nil,
        let name = try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8)
      else { return nil }
      return (name.trimmingCharacters(in: .newlines), ProcessMemory(process: process))
    }
  }
}
