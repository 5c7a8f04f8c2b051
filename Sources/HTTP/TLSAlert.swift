import Secrets

/// A TLS alert the server sent, read from the OpenSSL error code in libcurl's text.
struct TLSAlert {
  /// The alert's number (RFC 8446 §6).
  let number: UInt32

  /// Finds `error:NNNNNNNN:`, an OpenSSL error of the library SSL with a reason above 1000,
  /// which is the alert's number plus 1000 (`SSL_AD_REASON_OFFSET` in ssl.h).
  init?(in text: String) {
    let bytes = Array(text.utf8)
    let mark = Array("error:".utf8)
    guard bytes.count >= mark.count + 8,
      let start = bytes.indices.dropLast(mark.count + 7).first(where: {
        bytes[$0...].starts(with: mark)
      })
    else { return nil }
    let digits = bytes[(start + mark.count)..<(start + mark.count + 8)]
    guard let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16),
      (code >> 23) & 0xFF == 20, 1000...1255 ~= code & 0x7F_FFFF
    else { return nil }
    number = (code & 0x7F_FFFF) - 1000
  }

  /// Whether it is about the certificate we sent or did not send: a server has no other reason.
  var isAboutOurCertificate: Bool {
    switch number {
    case 41...46, 48, 116: true
    default: false
    }
  }

  /// What the server did, in words.
  var reason: String {
    switch number {
    case 40: "found no common ground (alert 40); it may want a client certificate"
    case 45: "refused our client certificate: expired"
    case 44: "refused our client certificate: revoked"
    case 48: "refused our client certificate: unknown authority"
    case 41...46: "refused our client certificate (alert \(number))"
    case 70: "speaks only other versions of TLS"
    case 112: "does not serve this host name"
    case 116: "wants a client certificate"
    default: "sent the TLS alert \(number)"
    }
  }
}

/// A library's text made fit for one line of a terminal: visible ASCII, no query, no user
/// information, at most 200 characters.
func quotable(_ text: String) -> String { ForeignText.logLine(text) }
