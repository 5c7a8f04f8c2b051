internal import Glibc

/// Takes out of the environment what makes a library write, load or trust something that the
/// person did not ask us for.
///
/// The libraries were watched for what they read; a prefix stands for a library's own variables,
/// whatever its next version adds to them. Variables that we obey on purpose (`SSL_CERT_FILE`,
/// proxies, `XDG_…`, `DBUS_SESSION_BUS_ADDRESS`) are checked where they are used. `LD_…` and
/// `GLIBC_TUNABLES` did their work before a program could look at them, `RES_OPTIONS` changes only
/// how name servers are asked, and Kerberos (`KRB5…`) is never used.
public enum CleanEnvironment {
  /// Variables with these names.
  private static let names: [StaticString] = [
    // libcurl, GnuTLS: the keys of TLS connections, appended to a file.
    "SSLKEYLOGFILE",
    // libcurl: what is sent over QUIC, in a file for each connection.
    "QLOGDIR",
    // glibc: every allocation, in a file.
    "MALLOC_TRACE",
    // glibc: conversion modules, which are code, and locale and message files, which are formats.
    "GCONV_PATH", "LOCPATH", "NLSPATH", "GETCONF_DIR",
    // glibc: other hosts under a name.
    "HOSTALIASES", "LOCALDOMAIN", "RESOLV_HOST_CONF",
    // libsecret: another service, or a file, in the Secret Service's place.
    "SECRET_SERVICE_BUS_NAME", "SECRET_BACKEND", "SECRET_FILE_TEST_PATH",
    "SECRET_FILE_TEST_PASSWORD",
    // libsecret: secrets in memory that may be paged out.
    "SECMEM_FORCE_FALLBACK",
  ]

  /// Variables whose names begin with these.
  private static let prefixes: [StaticString] = [
    // OpenSSL: configuration, engines and providers, which are code.
    "OPENSSL_",
    // libcurl: another TLS library; debugging.
    "CURL_",
    // GLib: all messages on the bus and all debugging messages, on standard output; warnings that
    // abort. GIO: modules, which are code.
    "G_", "GOBJECT_", "GIO_",
    // Loaded with libcurl or libsecret: configuration, weaker self-tests, debugging, traces.
    "GNUTLS_", "P11_KIT_", "NETTLE_", "GCRYPT_", "LIBGCRYPT_", "GPGRT_",
  ]

  /// What was taken out, as `NAME=value`.
  nonisolated(unsafe) private static var removed: [UnsafeMutablePointer<CChar>] = []

  /// Takes the variables out, every occurrence of each. The process must have one thread.
  public static func apply() {
    var kept = environ
    var next = environ
    while let entry = next.pointee {
      if isUnwanted(entry) {
        removed.append(entry)
      } else {
        kept.pointee = entry
        kept += 1
      }
      next += 1
    }
    kept.pointee = nil
  }

  /// Puts back what was taken out, just before the process becomes another program: what that
  /// program may obey is the decision of the person who runs it.
  public static func restore() {
    for entry in removed { putenv(entry) }
    removed = []
  }

  private static func isUnwanted(_ entry: UnsafePointer<CChar>) -> Bool {
    names.contains { name in
      begins(entry, name) && entry[name.utf8CodeUnitCount] == CChar(UInt8(ascii: "="))
    } || prefixes.contains { begins(entry, $0) }
  }

  private static func begins(_ entry: UnsafePointer<CChar>, _ start: StaticString) -> Bool {
    // Most differ in their first letter, and the fast path counts calls.
    entry.pointee == CChar(start.utf8Start.pointee)
      && strncmp(entry, start.utf8Start, start.utf8CodeUnitCount) == 0
  }
}
