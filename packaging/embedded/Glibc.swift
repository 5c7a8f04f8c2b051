// Embedded Swift comes without the modules Glibc and CommandLine. This is as much of them as the
// fast path and what it shares with the full program use, so that their sources need not know.
@_exported import CGlibc

public let S_IFMT: mode_t = 0o170000
public let S_IFREG: mode_t = 0o100000
public let S_IWGRP: mode_t = 0o20
public let S_IWOTH: mode_t = 0o2
public var SIG_DFL: __sighandler_t? { nil }
public var SIG_IGN: __sighandler_t? { unsafeBitCast(1, to: __sighandler_t.self) }
public var environ: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> { cglibc_environment() }
public var errno: Int32 { cglibc_errno() }

public func open(_ path: UnsafePointer<CChar>, _ flags: Int32) -> Int32 { cglibc_open(path, flags) }
public func fcntl(_ file: Int32, _ command: Int32) -> Int32 { cglibc_fcntl(file, command) }

public enum CommandLine {
  public static var unsafeArgv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
    cglibc_arguments
  }

  public static var arguments: [String] {
    var arguments: [String] = []
    while let argument = unsafeArgv[arguments.count] {
      arguments.append(String(cString: argument))
    }
    return arguments
  }
}
