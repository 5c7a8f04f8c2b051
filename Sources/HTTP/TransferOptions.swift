import CCurl
import Glibc

/// Sets options on one handle and remembers the first that libcurl refused.
struct TransferOptions {
  let handle: UnsafeMutableRawPointer
  private(set) var result = CURLE_OK

  init(_ handle: UnsafeMutableRawPointer) {
    self.handle = handle
  }

  mutating func set(_ option: CURLoption, _ value: Int) {
    note(ccurl_set_long(handle, option, value))
  }

  mutating func set(_ option: CURLoption, size value: Int) {
    note(ccurl_set_offset(handle, option, curl_off_t(clamping: value)))
  }

  mutating func set(_ option: CURLoption, _ value: String?) {
    note(ccurl_set_string(handle, option, value))
  }

  /// A text that may hold any byte but NUL.
  mutating func set(_ option: CURLoption, bytes: [UInt8]?) {
    guard let bytes else { return set(option, nil as String?) }
    (bytes + [0]).withUnsafeBytes { buffer in
      note(ccurl_set_string(handle, option, buffer.bindMemory(to: CChar.self).baseAddress))
    }
  }

  mutating func set(_ option: CURLoption, pointer value: UnsafeRawPointer?) {
    note(ccurl_set_pointer(handle, option, value))
  }

  /// A timeout; libcurl reads 0 as "no timeout", so the least is 1 ms, and the most one day.
  mutating func set(_ option: CURLoption, milliseconds value: Int) {
    set(option, min(max(value, 1), 86_400_000))
  }

  /// Where to, and by which protocol; redirects are responses.
  mutating func setTarget(_ target: RequestTarget, _ proxy: Proxy?) {
    note(ccurl_set_url(handle, target.url.handle))
    set(CURLOPT_PROTOCOLS_STR, target.scheme)
    set(CURLOPT_REDIR_PROTOCOLS_STR, "https")
    set(CURLOPT_FOLLOWLOCATION, 0)
    set(CURLOPT_HTTP_VERSION, ccurl_http_version_2tls)
    // An empty text, unlike none, keeps libcurl from asking the process's environment.
    set(CURLOPT_PROXY, proxy?.url ?? "")
    set(CURLOPT_NOPROXY, "")
    set(CURLOPT_PROXYUSERNAME, bytes: proxy?.user)
    set(CURLOPT_PROXYPASSWORD, bytes: proxy?.password)
    // Without this a SOCKS proxy may ask for Kerberos, whose library loads plugins.
    set(CURLOPT_SOCKS5_AUTH, ccurl_auth_basic)
    set(CURLOPT_HEADEROPT, ccurl_header_separate)
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
  }

  /// What is checked once connected; the check must outlive the transfer.
  mutating func setCheck(_ check: ConnectionCheck) {
    set(CURLOPT_PREREQDATA, pointer: Unmanaged.passUnretained(check).toOpaque())
    note(
      ccurl_set_before_request(handle) { context, address, ourAddress, port, ourPort in
        guard let context, let address, let ourAddress else { return ccurl_prereqfunc_abort }
        let check = Unmanaged<ConnectionCheck>.fromOpaque(context).takeUnretainedValue()
        let maySend = check.connected(
          to: String(cString: address), port: port, from: String(cString: ourAddress),
          port: ourPort)
        return maySend ? ccurl_prereqfunc_ok : ccurl_prereqfunc_abort
      })
  }

  /// Whom to trust, and who we are.
  mutating func setTrust(_ files: CertificateFiles) {
    set(CURLOPT_SSLVERSION, ccurl_sslversion_tlsv1_2)
    set(CURLOPT_SSL_VERIFYPEER, 1)
    set(CURLOPT_SSL_VERIFYHOST, 2)
    if !files.usesSystemStore {
      set(CURLOPT_CAINFO, files.authorityFile)
      set(CURLOPT_CAPATH, files.authorityDirectories)
      set(CURLOPT_PROXY_CAINFO, files.authorityFile)
      set(CURLOPT_PROXY_CAPATH, files.authorityDirectories)
    }
    guard let certificate = files.clientCertificate else { return }
    set(CURLOPT_SSLCERT, certificate)
    set(CURLOPT_SSLKEY, files.clientKey ?? certificate)
    // Without a passphrase OpenSSL would ask on the terminal, and wait.
    set(CURLOPT_KEYPASSWD, "")
  }

  /// The limits, and what libcurl shall not do by itself.
  mutating func setLimits(_ settings: TransportSettings, isHead: Bool) {
    set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds: settings.connectTimeoutMilliseconds)
    set(CURLOPT_TIMEOUT_MS, milliseconds: settings.totalTimeoutMilliseconds)
    if let milliseconds = settings.idleTimeoutMilliseconds {
      set(CURLOPT_LOW_SPEED_LIMIT, 1)
      set(CURLOPT_LOW_SPEED_TIME, min(max(milliseconds / 1000, 1), 86_400))
    }
    // A name server that hangs must not delay the timeout.
    set(CURLOPT_QUICK_EXIT, 1)
    set(CURLOPT_NOSIGNAL, 1)
    if !isHead, settings.maximumBodyBytes > 0 {
      set(CURLOPT_MAXFILESIZE_LARGE, size: settings.maximumBodyBytes)
    }
    // Every coding this libcurl knows.
    set(CURLOPT_ACCEPT_ENCODING, "")
    set(CURLOPT_USERAGENT, settings.userAgent)
    set(CURLOPT_NETRC, ccurl_netrc_ignored)
    note(
      ccurl_set_on_socket(handle) { _, socket, _ in
        // libcurl before 8 leaves its sockets open to every program we start.
        fcntl(socket, F_SETFD, FD_CLOEXEC) == 0 ? ccurl_sockopt_ok : ccurl_sockopt_error
      })
  }

  /// The method; a body is set by ``setBody(_:)``.
  mutating func setMethod(_ request: HTTPRequest, _ headers: HeaderList) {
    note(ccurl_set_headers(handle, headers.list))
    switch request.method {
    case "HEAD":
      set(CURLOPT_NOBODY, 1)
    case "GET":
      set(CURLOPT_HTTPGET, 1)
    default:
      // RFC 9110 §9.2.2: "A client SHOULD NOT automatically retry a request with a
      // non-idempotent method". libcurl retries when a kept connection turns out dead, and a
      // refresh token or code sent twice may end the session: no kept connection, no retry.
      set(CURLOPT_FRESH_CONNECT, 1)
    }
    if request.method != "HEAD" { set(CURLOPT_CUSTOMREQUEST, request.method) }
  }

  /// A body that stays where it is: libcurl reads it in place, during the transfer.
  mutating func setBody(_ bytes: UnsafeRawBufferPointer) {
    set(CURLOPT_POST, 1)
    set(CURLOPT_POSTFIELDSIZE_LARGE, size: bytes.count)
    if bytes.isEmpty {
      // Without a pointer libcurl would read standard input.
      set(CURLOPT_COPYPOSTFIELDS, "")
    } else {
      set(CURLOPT_POSTFIELDS, pointer: bytes.baseAddress)
    }
  }

  /// A body that is read during the transfer; the source must outlive it.
  mutating func setUpload(_ source: UploadSource) {
    // Otherwise a PUT: the request's own method is set already and stays.
    set(CURLOPT_UPLOAD, 1)
    set(CURLOPT_INFILESIZE_LARGE, size: source.upload.size ?? -1)
    set(CURLOPT_READDATA, pointer: Unmanaged.passUnretained(source).toOpaque())
    note(
      ccurl_set_reader(handle) { bytes, size, count, context in
        let (length, overflow) = size.multipliedReportingOverflow(by: count)
        guard !overflow, let context, let bytes else { return ccurl_readfunc_abort }
        let source = Unmanaged<UploadSource>.fromOpaque(context).takeUnretainedValue()
        let buffer = UnsafeMutableRawBufferPointer(start: bytes, count: length)
        return source.upload.read(buffer) ?? ccurl_readfunc_abort
      })
  }

  /// Where the response goes; it must outlive the transfer.
  mutating func setResponse(_ response: IncomingResponse, errorText: UnsafeMutablePointer<CChar>) {
    let context = Unmanaged.passUnretained(response).toOpaque()
    set(CURLOPT_ERRORBUFFER, pointer: errorText)
    set(CURLOPT_HEADERDATA, pointer: context)
    set(CURLOPT_WRITEDATA, pointer: context)
    note(
      ccurl_set_receiver(handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
        receive(bytes, size, count, context) { $0.receive(line: $1) }
      })
    note(
      ccurl_set_receiver(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
        receive(bytes, size, count, context) { $0.receive(body: $1) }
      })
  }

  private mutating func note(_ code: CURLcode) {
    if result == CURLE_OK { result = code }
  }
}

/// The C side of both callbacks: returns the bytes taken; any other number ends the transfer.
private func receive(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int,
  _ context: UnsafeMutableRawPointer?,
  by take: (IncomingResponse, UnsafeRawBufferPointer) -> Bool
) -> Int {
  let (length, overflow) = size.multipliedReportingOverflow(by: count)
  guard !overflow, let context else { return -1 }
  let response = Unmanaged<IncomingResponse>.fromOpaque(context).takeUnretainedValue()
  return take(response, UnsafeRawBufferPointer(start: bytes, count: length)) ? length : -1
}
