import Testing

/// A tool's file, what it may hold before, and what makes it unusable.
struct ConfigureCase: Sendable, CustomTestStringConvertible {
  let tool: String
  let file: String
  /// Contents with what people write around ours: comments, odd blanks, no line end.
  let contents: [String]
  /// Contents that cannot be read, or that say something else already.
  let refused: [String]
  var more: [String] = []
  var testDescription: String { ([tool] + more).joined(separator: " ") }

  static let all: [ConfigureCase] = [
    ConfigureCase(
      tool: "git", file: "home/.gitconfig",
      contents: [
        "[user]\n\tname = A # x\n", "[credential]\n\thelper = cache\n; end", "# only\n\n\n",
        "[a]\r\n  b = c\r\n",
      ],
      refused: ["[user\n", "[a]\nb = \"c\n", "[a]\nb = c\\"]),
    ConfigureCase(
      tool: "git", file: "home/.gitconfig", contents: ["[credential]\n\thelper = cache\n"],
      refused: ["x y z\n"], more: ["--first"]),
    ConfigureCase(
      tool: "coder", file: "home/.bashrc",
      contents: ["# mine\nalias ll='ls -l'\n", "export A=1", "\n"], refused: ["echo \\"]),
    ConfigureCase(
      tool: "vscode", file: "config/Code/User/settings.json",
      contents: [
        "{}", "{ }", "{\n}\n", "{\"a\":1}", "{ \"a\": [1, {\"b\": \"}\"}], }",
        "{\n    // fonts\n    \"editor.fontSize\": 12, /* big */\n    \"x\": \"//\",\n}\n",
        "\u{FEFF}{\n\t\"a\": null\n}",
      ],
      refused: [
        "{", "[]", "{\"a\":1", "{\"a\" 1}", "nonsense", "{\"a\": /* open }",
        "{\"coder.headerCommand\": \"other\"}",
        "{\"coder.headerCommand\": \"x\", \"coder.headerCommand\": \"y\"}",
      ]),
    ConfigureCase(
      tool: "claude", file: "home/.claude/settings.json",
      contents: [
        "{\"env\":{}}", "{\"env\": {\"A\": \"b\"}, \"model\": \"x\"}\n", "{\n  \"env\": {\n  }\n}",
      ],
      refused: [
        "{\"env\": 1}", "{\"apiKeyHelper\": \"cat key\"}", "{ // no comments\n}",
        "{\"env\": {\"ANTHROPIC_BASE_URL\": \"https://other.example\"}}",
      ]),
    ConfigureCase(
      tool: "claude", file: "home/.claude.json",
      contents: ["{\"mcpServers\": {\"other\": {\"type\": \"stdio\"}}, \"n\": 1e3}"],
      refused: ["{\"mcpServers\": {\"coder\": {\"url\": \"x\"}}}", "{\"mcpServers\": []}"]),
    ConfigureCase(
      tool: "codex", file: "home/.codex/config.toml",
      contents: [
        "model = \"m\" # mine\n\n[tui]\nx = '''\n[not.a.table]\n'''",
        "model_provider = \"other\"\n",
        "[model_providers.other]\nname = \"o\"\n",
      ],
      refused: [
        "[model_providers.coder]\nname = \"x\"\n", "a = [1, 2\n", "[x\n", "= 1\n", "a = \"b\n",
        "[a]\n[a]\n",
      ]),
    ConfigureCase(
      tool: "cargo", file: "home/.cargo/config.toml",
      contents: [
        "[build]\njobs = 1\n", "[registry]\ndefault = \"x\" # mine\n[net]\nretry = 1", "[registry]",
        "[registry]\nglobal-credential-providers = [\"cargo:token\", # first\n  'x',\n]\n",
        "[registry]\nglobal-credential-providers = []\n",
        "registry.global-credential-providers = [\"cargo:libsecret\"]\n",
      ],
      refused: [
        "[registry\n", "registry = { default = \"x\" }\n", "registry.default = \"x\"\n",
        "[registry]\nglobal-credential-providers = 1\n",
      ]),
    ConfigureCase(
      tool: "go", file: "config/go/env",
      contents: ["GOPROXY=direct\nGOAUTH=git /x\n", "GOAUTH=netrc", "# x\nGOFLAGS=-v\n"],
      refused: ["GOAUTH=off\n"]),
    ConfigureCase(
      tool: "bazel", file: "home/.bazelrc", contents: ["build --jobs=2 # x\n", "common --x"],
      refused: ["build --x \\"]),
    ConfigureCase(
      tool: "terraform", file: "home/.terraformrc",
      contents: [
        "plugin_cache_dir = \"$HOME/{x\" # }\n/* credentials_helper */\n",
        "credentials \"app.terraform.io\" {\n  token = \"x\"\n}",
      ],
      refused: ["a {\n", "credentials_helper \"other\" {}\n", "a = \"b\n", "/* x", "}"]),
    ConfigureCase(
      tool: "docker", file: "home/.docker/config.json",
      contents: ["{\n\t\"auths\": {},\n\t\"detachKeys\": \"ctrl-e\"\n}"],
      refused: ["{\"credsStore\": \"desktop\"}", "{\"credsStore\": 1}", "{,}"]),
    ConfigureCase(
      tool: "docker", file: "home/.docker/config.json",
      contents: ["{\"credHelpers\": {\"gcr.io\": \"gcloud\"}}", "{\"credHelpers\": {}}"],
      refused: ["{\"credHelpers\": {\"dev.example.com\": \"gcloud\"}}"],
      more: ["--url", "dev.example.com"]),
  ]
}
