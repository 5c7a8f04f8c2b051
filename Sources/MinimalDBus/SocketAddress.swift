internal import Glibc

/// The one Unix socket that a bus's address names (D-Bus Specification, "Server Addresses").
struct SocketAddress {
  private var name = sockaddr_un()
  private let length: socklen_t

  init(_ text: String) throws(BusError) {
    let bytes = Array(text.utf8)
    let first = bytes.prefix { $0 != UInt8(ascii: ",") }
    let isAbstract = first.starts(with: "unix:abstract=".utf8)
    let rest = bytes[first.count...]
    // Several addresses and escaped bytes are for libraries that try them in turn.
    guard isAbstract || first.starts(with: "unix:path=".utf8),
      rest.isEmpty || rest.starts(with: ",guid=".utf8),
      !bytes.contains(where: { $0 == UInt8(ascii: ";") || $0 == UInt8(ascii: "%") })
    else { throw .unavailable }
    // unix(7): an abstract name begins with NUL, and all of its length counts.
    let path = (isAbstract ? [0] : []) + first.drop { $0 != UInt8(ascii: "=") }.dropFirst()
    guard path.count < MemoryLayout.size(ofValue: name.sun_path) else { throw .unavailable }
    length = socklen_t(
      MemoryLayout<sa_family_t>.size + path.count + (isAbstract ? 0 : 1))
    name.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path) }
  }

  func connect(_ socket: Int32) -> Bool {
    withUnsafePointer(to: name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(socket, $0, length) == 0
      }
    }
  }
}
