internal import Glibc

/// Writes a secret, whole: the one way by which a secret reaches standard output.
///
/// - Returns: whether all of it was written.
public func writeSecret(_ secret: Secret, to descriptor: Int32) -> Bool {
  writeText(secret.revealed, to: descriptor)
}

/// Writes a text, whole.
///
/// - Returns: whether all of it was written.
public func writeText(_ text: String, to descriptor: Int32) -> Bool {
  let bytes = Array(text.utf8)
  var written = 0
  while written < bytes.count {
    let count = bytes[written...].withUnsafeBytes {
      write(descriptor, $0.baseAddress, $0.count)
    }
    if count < 0 && errno == EINTR { continue }
    guard count > 0 else { return false }
    written += count
  }
  return true
}
