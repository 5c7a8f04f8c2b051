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

  mutating func set(_ option: CURLoption, pointer value: UnsafeRawPointer?) {
    note(ccurl_set_pointer(handle, option, value))
  }

  /// Milliseconds; libcurl reads 0 as "for ever", so the least is 1, and the most one day.
  mutating func set(_ option: CURLoption, milliseconds value: Int) {
    set(option, min(max(value, 1), 86_400_000))
  }

  /// Where to, and by which protocol; redirects are answers.
  mutating func setTarget(_ target: RequestTarget, _ proxy: ProxyChoice?, noProxy: String) {
    note(ccurl_set_url(handle, target.url.handle))
    set(CURLOPT_PROTOCOLS_STR, target.scheme)
    set(CURLOPT_REDIR_PROTOCOLS_STR, "https")
    set(CURLOPT_FOLLOWLOCATION, 0)
    set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS)
    // An empty text, unlike none, keeps libcurl from asking the process's environment.
    set(CURLOPT_PROXY, proxy?.url ?? "")
    set(CURLOPT_NOPROXY, noProxy)
    set(CURLOPT_PROXYUSERNAME, proxy?.user)
    set(CURLOPT_PROXYPASSWORD, proxy?.password)
    set(CURLOPT_HEADEROPT, Int(CURLHEADER_SEPARATE))
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
  }

  /// Whom to trust, and who we are.
  mutating func setTrust(_ files: TrustFiles) {
    set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
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

  /// The limits, and the habits of a program that must not be surprised.
  mutating func setLimits(_ settings: TransportSettings, isHead: Bool) {
    set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds: settings.connectTimeout)
    set(CURLOPT_TIMEOUT_MS, milliseconds: settings.totalTimeout)
    if let idle = settings.idleTimeout {
      set(CURLOPT_LOW_SPEED_LIMIT, 1)
      set(CURLOPT_LOW_SPEED_TIME, min(max(idle / 1000, 1), 86_400))
    }
    // A name server that hangs must not hold the deadline up.
    set(CURLOPT_QUICK_EXIT, 1)
    set(CURLOPT_NOSIGNAL, 1)
    if !isHead, settings.maximumBodyBytes > 0 {
      set(CURLOPT_MAXFILESIZE_LARGE, size: settings.maximumBodyBytes)
    }
    // Every coding this libcurl knows.
    set(CURLOPT_ACCEPT_ENCODING, "")
    set(CURLOPT_USERAGENT, settings.userAgent)
    set(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
    note(
      ccurl_set_on_socket(handle) { _, socket, _ in
        // libcurl before 8 leaves its sockets open to every program we start.
        fcntl(socket, F_SETFD, FD_CLOEXEC) == 0 ? CURL_SOCKOPT_OK : CURL_SOCKOPT_ERROR
      })
  }

  /// The method; a body is set by ``setBody(_:)``.
  mutating func setMethod(_ request: HTTPRequest, _ fields: RequestFields) {
    note(ccurl_set_headers(handle, fields.list))
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
        guard !overflow, let context, let bytes else { return Int(CURL_READFUNC_ABORT) }
        let source = Unmanaged<UploadSource>.fromOpaque(context).takeUnretainedValue()
        let room = UnsafeMutableRawBufferPointer(start: bytes, count: length)
        return source.upload.read(room) ?? Int(CURL_READFUNC_ABORT)
      })
  }

  /// Where the answer goes; the reception must outlive the transfer.
  mutating func setReception(_ reception: Reception, errorText: UnsafeMutablePointer<CChar>) {
    let context = Unmanaged.passUnretained(reception).toOpaque()
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
  by take: (Reception, UnsafeRawBufferPointer) -> Bool
) -> Int {
  let (length, overflow) = size.multipliedReportingOverflow(by: count)
  guard !overflow, let context else { return -1 }
  let reception = Unmanaged<Reception>.fromOpaque(context).takeUnretainedValue()
  return take(reception, UnsafeRawBufferPointer(start: bytes, count: length)) ? length : -1
}
