import Glibc
import Login

/// Whole lines of what a person types or pastes while something else is waited for.
struct TypedLines {
  let input: Int32
  /// What has come of a line whose end has not.
  private var line: [UInt8] = []
  private var isOver = false

  init(from input: Int32) { self.input = input }

  /// What to wait for; nil while nothing can be typed, and once no more will come.
  var descriptor: Int32? { isOver || Terminal.isInBackground(input) ? nil : input }

  /// Whether a line has begun whose end has not come.
  var isWithinLine: Bool { !line.isEmpty }

  /// Reads what is there, and gives the lines that it completes.
  mutating func read() -> [String] {
    var chunk = [UInt8](repeating: 0, count: 4096)
    let count = Glibc.read(input, &chunk, chunk.count)
    guard count > 0 else {
      isOver = count == 0 || errno != EINTR
      return []
    }
    line += chunk[..<count]
    var lines: [String] = []
    while let end = line.firstIndex(of: UInt8(ascii: "\n")) {
      lines.append(String(decoding: line[..<end], as: UTF8.self))
      line.removeFirst(end + 1)
    }
    // A terminal hands over lines; what grows beyond any address is none.
    if line.count > CallbackSocket.limit { line = [] }
    return lines
  }
}
