import TestDesk

/// Requests and command lines, good and hostile, about the one session there is.
extension `Fast path and full program write the same, to the last byte` {
  static let url = "https://fresh.example"
  private static let plain = "protocol=https\nhost=fresh.example\n"
  private static func repeated(_ text: String, _ count: Int) -> String {
    String(repeating: text, count: count)
  }

  static let inputs: [String] = [
    "", "\n", "\r\n", "protocol=https\n", "host=fresh.example\n\n", "nonsense\n\n", plain,
    "\(plain)\n", "protocol=https\r\nhost=fresh.example\r\n\r\n", "\(plain)path=a/b\n\n",
    "\(plain)username=alice\n\n", "\(plain)username=bob\n\n", "\(plain)username=\n\n",
    "\(plain)\nhost=other.example\n", "\(plain)password=p\nwwwauth[]=Bearer\nnew=1\n\n",
    "protocol=https\nhost=FRESH.example:443\n\n", "protocol=https\nhost=fresh.example:0\n\n",
    "protocol=https\nhost=fr\u{E9}sh.example\n\n", "protocol=http\nhost=fresh.example\n\n",
    "protocol=ht tp\nhost=fresh.example\n\n", "url=https://u:p@fresh.example\n\n",
    "url=https://bob@fresh.example\n\n", "url=https://fresh.example?x\n\n",
    "\(plain)username=a\u{1B}[31m\n\n", "\(plain)host=\0\n\n", "\(plain)path=../x\n\n",
    "\(plain)x=\(repeated("x", 65_533))\n\n", "\(plain)x=\(repeated("x", 65_534))\n\n",
    plain + repeated("a[]=\(repeated("x", 9_000))\n", 120), "\(plain)path=\u{2028}\n\n",
    "\(plain)capability[]=authtype\ncapability[]=\n\n",
    "\(plain)capability[]=authtype\ncapability[]=state\nstate[]=coder-cred:1ab9cdbe1073b2bdd5f87cd276f7ee23\n\n",
  ]

  static let commands: [Invocation] = [
    .words(), .words("get", "--account", "alice", input: plain),
    .words("get", "--account=bob", input: plain), .words("--account=alice", "get", input: plain),
    .words("--account", "bob", "get", url), .words("get", url, "--account", ""),
    .words("get", "--account", "get", input: plain), .words("get", "get", input: plain),
    .words("get", "get", "--format", "json", input: plain),
    .words("get", "get", "--account", "get", input: plain),
    .words("get", "--format", "json", "get", input: plain),
    .words("get", url, "--account"), .words("get", url, "--account", "-x"),
    .words("get", url, "--account=a", "--account=alice"), .words("get", url, url),
    .words("get", url, "--min-ttl", "0"), .words("get", url, "--min-ttl=86000"),
    .words("get", url, "--min-ttl=-1"), .words("get", url, "--min-ttl", "+5"),
    .words("get", url, "--min-ttl", "31536001"), .words("get", url, "--min-ttl", "x"),
    .words("get", url, "--min-ttl=99999999999999999999"),
    .words("get", url, "--no-refresh"), .words("get", url, "--no-refresh=1"),
    .words("get", url, "--no-refresh", "--min-ttl", "31536000"),
    .words("get", url, "--format", "token"), .words("get", url, "--format=cookie"),
    .words("get", url, "--format"), .words("get", url, "--unknown"), .words("get", "--", url),
    .words("get", "-h"), .words("get", "--help"), .words("--version"), .words("get", ""),
    .words("get", "fresh.example"), .words("get", "FRESH.example:443/"),
    .words("get", "https://u@fresh.example"), .words("get", "http://fresh.example"),
    .words("get", "ftp://fresh.example"), .words("get", "https://fresh.example/%2e%2e"),
    .words("token"), .words("token", url, "--format", "git"),
    .words("token", url, "--format", "json"), .words("token", url, "--format", "coder"),
    .words("token", input: plain), .words("header"), .words("header", url, "--format", "lines"),
    .words("header", url, "--format", "cookie"), .words("header", url, "--format", "token"),
    .words("header", url, "--format", "authorization"), .words("header", url, "--format=curl"),
    .words("header", url, "--format", "bazel"), .words("header", url, "--format", "goauth"),
    .words("header", url, "\(url)/m/@v/list?x", "--format", "goauth"),
    .words("header", "\(url)/m/@v/list?x", "--format", "goauth"),
    .words("get", url, "--format", "docker"), .words("token", url, "--format", "bazel"),
    .words("get", url, "--format", "header"), .words("get", "--format=curl", input: plain),
    .words("header", "x.example", "--format=json"), .words("header", url, "--account", "bob"),
    .words("store", input: "\(plain)password=\n\n"), .words("erase", input: "\n"),
    .words("capability"), .words("list"), .words("later"),
  ]

  static func environments(_ desktop: PrivateDesktop) -> [Invocation] {
    let bus = "DBUS_SESSION_BUS_ADDRESS"
    return [
      .words("get", url, with: ["CODER_CRED_ENGINE": "1"]), .words("get", url, with: ["HOME": ""]),
      .words("get", url, with: [bus: ""]), .words("get", url, with: [bus: "tcp:host=::1,port=1"]),
      .words("get", url, with: [bus: "unix:path=/nowhere;\(desktop.busAddress)"]),
      .words("get", url, with: [bus: "\(desktop.busAddress),guid=x"]),
      .words("get", url, with: ["GIT_EXEC_PATH": "/usr/lib/git-core"]),
      .words("token", url, with: ["CODER_URL": "https://x.example"]),
      .words("token", with: ["CODER_URL": url]), .words("header", with: ["CODER_URL": url]),
      .words("token", with: ["CODER_URL": "https://x.example"]),
      .words("token", with: ["CARGO_REGISTRY_INDEX_URL": "sparse+https://x.example/index/"]),
      .words("token", with: ["CARGO_REGISTRY_INDEX_URL": "sparse+\(url)/index/"]),
    ]
  }

  static let shells: [Invocation] = [
    .shell("\"$0\" get https://fresh.example >/dev/full"),
    .shell("\"$0\" get https://fresh.example >&-"),
    .shell("\"$0\" get <&-"), .shell("\"$0\" get </"),
    .shell("{ echo protocol=https; sleep 0.1; echo host=fresh.example; } | \"$0\" get"),
    .shell("exec 3<>/dev/null; \"$0\" get", input: "\(plain)\n"),
  ]
}
