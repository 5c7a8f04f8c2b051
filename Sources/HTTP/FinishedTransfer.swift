import CCurl
import Glibc

/// The end of a transfer: the one place that reads a `CURLcode`.
///
/// A text of libcurl's is quoted only where it cannot hold anything from a server, a URL or a
/// proxy's credentials, and even then through ``quotable(_:)``.
struct FinishedTransfer {
  let handle: UnsafeMutableRawPointer
  let code: CURLcode
  let text: String
  let target: RequestTarget
  let proxy: Proxy?
  let settings: TransportSettings
  let check: ConnectionCheck
  let incoming: IncomingResponse
  let takesCutOffBody: Bool

  /// `CURLE_TOO_LARGE` of libcurl 8.6, unknown to older headers.
  private static let tooLarge = CURLcode(rawValue: 100)

  /// The response, or why there is none.
  func response() throws(HTTPError) -> HTTPResponse {
    guard code == CURLE_OK else {
      if let response = cutOffResponse { return response }
      throw failure
    }
    guard let response = incoming.response else {
      throw .broken(reason: "the response of \(target.authority) does not end its header")
    }
    if let proxy, !target.isSecure, response.status == 407 { throw refusal(by: proxy, 407) }
    return response
  }

  /// What came of a successful response, for a request that takes such.
  ///
  /// Servers close TLS without saying so, announce a longer body than they send, or keep the
  /// connection open after one whose length they did not announce.
  private var cutOffResponse: HTTPResponse? {
    guard takesCutOffBody, check.refusal == nil, incoming.failure == nil,
      [CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_OPERATION_TIMEDOUT].contains(code),
      let response = incoming.response, 200..<300 ~= response.status, !response.body.isEmpty
    else { return nil }
    return HTTPResponse(
      status: response.status, headers: response.headers, body: response.body, cutOff: failure)
  }

  private var failure: HTTPError {
    // Stopped by our own callbacks.
    if let failure = check.refusal ?? incoming.failure { return failure }
    let connectStatus = number(CURLINFO_HTTP_CONNECTCODE)
    if let proxy, connectStatus != 0, !(200..<300 ~= connectStatus) {
      return refusal(by: proxy, connectStatus)
    }
    if let alert = TLSAlert(in: text), alert.isAboutOurCertificate {
      return .clientCertificateRejected(reason: "\(target.authority) \(alert.reason)")
    }
    switch code {
    case CURLE_URL_MALFORMAT:
      return .refusedURL(reason: "the URL is malformed")
    case CURLE_SSL_CLIENTCERT:
      return .clientCertificateRejected(
        reason: "\(target.authority) wants a client certificate")
    case CURLE_SSL_CERTPROBLEM:
      return .misconfigured(
        reason: "the client certificate and its key cannot be used: damaged, locked with a"
          + " passphrase, or not a pair")
    case CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CRL_BADFILE:
      return .misconfigured(reason: "the CA certificates cannot be used: none in the PEM format")
    case CURLE_FAILED_INIT, CURLE_NOT_BUILT_IN, CURLE_UNKNOWN_OPTION,
      CURLE_BAD_FUNCTION_ARGUMENT, CURLE_SSL_CIPHER, CURLE_SSL_ENGINE_NOTFOUND,
      CURLE_OUT_OF_MEMORY:
      // Out of memory is also how libcurl reports a header line beyond its own limit.
      guard code != CURLE_OUT_OF_MEMORY || !check.isConnected else { return headerTooLarge }
      return .libraryUnusable(reason: "libcurl cannot do what is needed: \(generalText)")
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_PINNEDPUBKEYNOTMATCH,
      CURLE_SSL_INVALIDCERTSTATUS:
      return .untrusted(reason: distrust)
    case CURLE_OPERATION_TIMEDOUT:
      guard check.isConnected else { return lost("no connection to \(peer) in time") }
      return .timedOut(
        reason: "\(target.authority) did not respond completely within"
          + " \(settings.totalTimeoutMilliseconds) ms")
    case CURLE_FILESIZE_EXCEEDED:
      return .tooLarge(reason: "the response's body is over \(settings.maximumBodyBytes) bytes")
    case Self.tooLarge:
      return headerTooLarge
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
      // The name of a SOCKS proxy is a host to libcurl; with a proxy no other name is resolved.
      return .unreachable(
        reason: "the name \(proxy == nil ? target.host : "of the proxy \(peer)")"
          + " cannot be resolved")
    case CURLE_COULDNT_CONNECT, CURLE_INTERFACE_FAILED, CURLE_PROXY:
      return .unreachable(reason: "no connection to \(peer)\(systemCause)")
    case CURLE_SSL_CONNECT_ERROR:
      return .unreachable(reason: handshakeFailure)
    case CURLE_SEND_ERROR, CURLE_RECV_ERROR:
      let place =
        !check.isConnected
        ? "at its start" : incoming.hasBegun ? "within the response" : "before any response"
      return lost("the connection to \(peer) broke \(place)\(systemCause)")
    case CURLE_GOT_NOTHING:
      return lost("\(target.authority) closed the connection without a response")
    case CURLE_PARTIAL_FILE:
      return .broken(reason: "the response of \(target.authority) was cut off")
    case CURLE_BAD_CONTENT_ENCODING:
      return .broken(reason: "the response of \(target.authority) cannot be decoded")
    case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_HTTP2, CURLE_HTTP2_STREAM:
      return lost("\(target.authority) does not speak HTTP properly")
    default:
      return lost("no response of \(target.authority): \(generalText)")
    }
  }

  /// Which host the connection goes to.
  private var peer: String { proxy?.authority ?? target.authority }

  /// libcurl's fixed sentence for the code, which cannot hold anything from outside.
  private var generalText: String { String(cString: ccurl_easy_strerror(code)) }

  private var systemCause: String {
    let number = number(CURLINFO_OS_ERRNO)
    return number == 0 ? "" : ": " + String(cString: strerror(Int32(clamping: number)))
  }

  private var distrust: String {
    let ofProxy = number(CURLINFO_PROXY_SSL_VERIFYRESULT)
    let verification = ofProxy != 0 ? ofProxy : number(CURLINFO_SSL_VERIFYRESULT)
    let holder = "the certificate of \(ofProxy != 0 ? "the proxy \(peer)" : target.authority)"
    // The numbers are X509_V_ERR_* of OpenSSL's x509_vfy.h.
    switch verification {
    case 9: return "\(holder) is not valid yet"
    case 10: return "\(holder) has expired"
    case 2, 18, 19, 20, 21, 27:
      return "\(holder) is signed by an unknown authority"
    case 23: return "\(holder) is revoked"
    // libcurl compares names itself, before it stores OpenSSL's verdict: 1 means none yet.
    case 0...1 where text.contains("subject name") || text.contains("does not match"):
      return "\(holder) is for another host name"
    default: return "\(holder) is not trusted: \(quotable(text))"
    }
  }

  private var handshakeFailure: String {
    if let alert = TLSAlert(in: text) {
      return "the TLS handshake failed: \(target.authority) \(alert.reason)"
    }
    if text.contains("wrong version number") || text.contains("packet length") {
      return "\(target.authority) does not speak TLS"
    }
    if text.contains("unexpected eof") || text.contains("SSL_ERROR_SYSCALL")
      || text.contains("reset by peer")
    {
      return "the connection to \(peer) broke in the TLS handshake"
    }
    return "the TLS handshake with \(target.authority) failed: \(quotable(text))"
  }

  /// No complete response: `unreachable` while there was no connection to send the request on, and
  /// `broken` once it may have arrived.
  private func lost(_ reason: String) -> HTTPError {
    check.isConnected ? .broken(reason: reason) : .unreachable(reason: reason)
  }

  private var headerTooLarge: HTTPError {
    .tooLarge(reason: "the response's header is larger than libcurl accepts")
  }

  private func refusal(by proxy: Proxy, _ status: Int) -> HTTPError {
    guard status == 407 else {
      return .unreachable(reason: "the proxy \(proxy.authority) refused to connect (\(status))")
    }
    let offered = number(CURLINFO_PROXYAUTH_AVAIL)
    guard offered == 0 || offered & ccurl_auth_basic != 0 else {
      let schemes = Self.schemes.filter { offered & $0.bit != 0 }.map(\.name)
      return .unreachable(
        reason: "the proxy \(proxy.authority) takes only \(schemes.joined(separator: " or "))"
          + " authentication, and only Basic is supported (407)")
    }
    return .unreachable(
      reason: proxy.user == nil
        ? "the proxy \(proxy.authority) wants a user name and a password (407)"
        : "the proxy \(proxy.authority) wants another user name or password (407)")
  }

  /// The authentication schemes that libcurl tells apart in `Proxy-Authenticate`.
  private static let schemes = [
    (bit: ccurl_auth_digest, name: "Digest"), (bit: ccurl_auth_ntlm, name: "NTLM"),
    (bit: ccurl_auth_negotiate, name: "Negotiate"), (bit: ccurl_auth_bearer, name: "Bearer"),
  ]

  private func number(_ info: CURLINFO) -> Int {
    var value = 0
    return ccurl_get_long(handle, info, &value) == CURLE_OK ? value : 0
  }
}
