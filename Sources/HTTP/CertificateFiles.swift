import Glibc

/// The certificate files of one connection, each found readable before libcurl sees it.
struct CertificateFiles {
  /// The most bytes of a file; the system's store of all authorities has about 250 KB.
  static let maximumBytes = 16 << 20

  /// The authorities trusted: what is named replaces the system's store entirely.
  let authorityFile: String?
  let authorityDirectories: String?
  let clientCertificate: String?
  let clientKey: String?

  /// Whether the system's own store is to be used.
  var usesSystemStore: Bool { authorityFile == nil && authorityDirectories == nil }

  init(_ settings: TransportSettings) throws(HTTPError) {
    if let file = settings.caFile {
      try Self.checkFile(file, called: "the CA file")
      authorityFile = file
      authorityDirectories = nil
    } else {
      authorityFile = settings.variable(["SSL_CERT_FILE"])?.value
      authorityDirectories = settings.variable(["SSL_CERT_DIR"])?.value
      if let authorityFile { try Self.checkFile(authorityFile, called: "SSL_CERT_FILE") }
      if let authorityDirectories { try Self.checkDirectories(authorityDirectories) }
    }
    clientCertificate = settings.clientCertificateFile
    clientKey = settings.clientKeyFile
    if let clientCertificate {
      try Self.checkFile(clientCertificate, called: "the client certificate")
    }
    if let clientKey {
      try Self.checkFile(clientKey, called: "the client key")
      guard clientCertificate != nil else {
        throw .misconfigured(reason: "there is a client key but no client certificate")
      }
    }
  }

  /// Opens rather than asks `access`, so that a directory or a broken link is found as well.
  private static func checkFile(_ path: String, called name: String) throws(HTTPError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      let cause = String(cString: strerror(errno))
      throw .misconfigured(reason: "\(name) \(path) cannot be read: \(cause)")
    }
    defer { close(descriptor) }
    var status = stat()
    // A pipe or a device might never end.
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw .misconfigured(reason: "\(name) \(path) is not a file")
    }
    guard status.st_size <= maximumBytes else {
      throw .misconfigured(reason: "\(name) \(path) is larger than \(maximumBytes) bytes")
    }
  }

  /// OpenSSL takes a list separated by colons and passes over what is missing; one must be there.
  private static func checkDirectories(_ list: String) throws(HTTPError) {
    let isThere = list.split(separator: ":").contains { path in
      var status = stat()
      return stat(String(path), &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
    guard isThere else {
      throw .misconfigured(reason: "SSL_CERT_DIR \(list) is not a directory")
    }
  }
}
