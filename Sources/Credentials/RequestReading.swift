internal import Glibc

extension CredentialRequest {
  /// Reads a request's bytes: to its empty line, to the end, or just past the limit.
  ///
  /// - Returns: nil when the descriptor cannot be read.
  public static func read(from descriptor: Int32) -> [UInt8]? {
    var request: [UInt8] = []
    while request.count <= maximumBytes {
      var count = 0
      let chunk = [UInt8](unsafeUninitializedCapacity: 16 << 10) {
        count = Glibc.read(descriptor, $0.baseAddress, $0.count)
        $1 = max(0, count)
      }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { return nil }
      if count == 0 { break }
      // The empty line may begin in the chunk before.
      let start = max(0, request.count - 2)
      request += chunk
      if isEnded(request, from: start) { break }
    }
    return request
  }

  private static func isEnded(_ request: [UInt8], from start: Int) -> Bool {
    if request.first == UInt8(ascii: "\n") || request.starts(with: "\r\n".utf8) { return true }
    var lineIsEmpty = false
    for byte in request[start...] {
      if byte == UInt8(ascii: "\n") {
        if lineIsEmpty { return true }
        lineIsEmpty = true
      } else if byte != UInt8(ascii: "\r") {
        lineIsEmpty = false
      }
    }
    return false
  }
}
