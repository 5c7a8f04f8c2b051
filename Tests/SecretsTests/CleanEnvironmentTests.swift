import Glibc
import Secrets
import Testing

/// What libraries read from the environment is taken out before they can.
@Suite(.timeLimit(.minutes(5))) struct CleanEnvironmentTests {
  @Test func `Variables that write, load or redirect are taken out, and put back for others`() async
  {
    await #expect(processExitsWith: .success) {
      let unwanted = [
        "SSLKEYLOGFILE", "OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES", "G_DBUS_DEBUG",
        "G_MESSAGES_DEBUG", "GIO_EXTRA_MODULES", "GIO_MODULE_DIR", "GIO_USE_VFS",
        "SECRET_SERVICE_BUS_NAME", "GNUTLS_DEBUG_LEVEL", "GCONV_PATH", "HOSTALIASES",
        "CURL_SSL_BACKEND", "P11_KIT_DEBUG", "LIBGCRYPT_FORCE_FIPS_MODE", "G_ANYTHING_NEW",
      ]
      let wanted = [
        "SSLKEYLOGFILES", "SSL_CERT_FILE", "HTTPS_PROXY", "GIT_EXEC_PATH", "GOPATH", "OPENSSL",
        "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "RES_OPTIONS", "XSSLKEYLOGFILE", "GTK_PATH",
        "SECRET_KEY",
      ]
      for name in unwanted + wanted { setenv(name, "value of \(name)", 1) }
      ProcessHardening.apply()
      guard unwanted.allSatisfy({ getenv($0) == nil }) else { exit(1) }
      let isKept = { (name: String) in
        getenv(name).map { String(cString: $0) } == "value of \(name)"
      }
      guard wanted.allSatisfy(isKept) else { exit(2) }
      CleanEnvironment.restore()
      guard (unwanted + wanted).allSatisfy(isKept) else { exit(3) }
      exit(0)
    }
  }

  @Test func `Every occurrence of a variable goes, and an empty environment is no trouble`() async {
    await #expect(processExitsWith: .success) {
      // setenv(3) would not write a name twice, nor a word without a value.
      let words = ["SSLKEYLOGFILE=a", "A=b", "SSLKEYLOGFILE=c", "G_DEBUG", "SSLKEYLOGFILE="]
      for word in words { setenv("ROOM_FOR_\(word.utf8.count)_\(word.hashValue)", "", 1) }
      for (index, word) in words.enumerated() { environ[index] = strdup(word) }
      environ[words.count] = nil
      CleanEnvironment.apply()
      guard let first = environ[0], strcmp(first, "A=b") == 0, environ[1] == nil else { exit(2) }
      environ[0] = nil
      CleanEnvironment.apply()
      exit(environ[0] == nil ? 0 : 3)
    }
  }
}
