"""Servers that tools talk to, on a port of 127.0.0.1: fake-server.py KIND [CERTIFICATE KEY]

The environment names the secret that is wanted (SECRET). The port is the first line of output; each
request is another: "accepted" or "refused", method and path.
"""

import base64
import hashlib
import http.server
import io
import json
import os
import ssl
import sys
import tarfile
import zipfile

kind, secret = sys.argv[1], os.environ["SECRET"]


def crate():
    """A library with nothing in it, as cargo downloads it."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name, text in [
            ("Cargo.toml", '[package]\nname = "greeting"\nversion = "1.0.0"\nedition = "2021"\n'),
            ("src/lib.rs", ""),
        ]:
            entry = tarfile.TarInfo(f"greeting-1.0.0/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return data.getvalue()


def module():
    """A module with nothing in it, as Go downloads it."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("example.com/greeting@v1.0.0/go.mod", "module example.com/greeting\n")
        archive.writestr("example.com/greeting@v1.0.0/greeting.go", "package greeting\n")
    return data.getvalue()


def docker(url):
    return {"/v2/": "{}"}


def sparse(url):
    archive = crate()
    line = {"name": "greeting", "vers": "1.0.0", "deps": [], "features": {}, "yanked": False}
    line["cksum"] = hashlib.sha256(archive).hexdigest()
    return {
        "/index/config.json": json.dumps({"dl": f"{url}/dl", "auth-required": True}),
        "/index/gr/ee/greeting": json.dumps(line) + "\n",
        "/dl/greeting/1.0.0/download": archive,
    }


def goproxy(url):
    place = "/mod/example.com/greeting/@v/"
    return {
        place + "list": "v1.0.0\n",
        place + "v1.0.0.info": '{"Version":"v1.0.0"}',
        place + "v1.0.0.mod": "module example.com/greeting\n",
        place + "v1.0.0.zip": module(),
    }


def events(*list_of_events):
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in list_of_events)


def anthropic(url):
    """A model that says pong, and an MCP server without tools."""
    usage = {"input_tokens": 1, "output_tokens": 1}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": []}
    message |= {"stop_reason": None, "stop_sequence": None, "usage": usage}
    reply = events(
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "pong"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage},
        {"type": "message_stop"},
    )
    return {"/api/v2/aibridge/anthropic/v1/messages": reply}


def openai(url):
    text = {"type": "output_text", "text": "pong", "annotations": []}
    item = {"type": "message", "role": "assistant", "id": "msg_1", "content": [text]}
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    reply = events(
        {"type": "response.created", "response": {"id": "r1"}},
        {"type": "response.output_item.done", "item": item},
        {"type": "response.completed", "response": {"id": "r1", "usage": usage}},
    )
    return {"/api/v2/aibridge/openai/v1/responses": reply}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def is_allowed(self):
        given = self.headers.get("Authorization", "")
        if kind == "docker":
            return given == "Basic " + base64.b64encode(f"bob:{secret}".encode()).decode()
        return given == f"Bearer {secret}" or self.headers.get("X-Api-Key") == secret

    def answer(self, status, body, fields=()):
        body = body if isinstance(body, bytes) else body.encode()
        self.send_response(status)
        is_stream = body.startswith(b"event: ")
        self.send_header("Content-Type", "text/event-stream" if is_stream else "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in fields:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def respond(self):
        received = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.split("?")[0]
        allowed = self.is_allowed()
        print("accepted" if allowed else "refused", self.command, path, flush=True)
        if not allowed:
            scheme = "Basic" if kind == "docker" else "Bearer"
            return self.answer(401, "{}", [("WWW-Authenticate", f'{scheme} realm="fake"')])
        if path == "/api/experimental/mcp/http":
            return self.model_context(received)
        body = pages.get(path)
        return self.answer(404, "{}") if body is None else self.answer(200, body)

    def model_context(self, received):
        """The least that an MCP client wants to hear (Model Context Protocol, Streamable HTTP)."""
        request = json.loads(received or b"{}")
        if "id" not in request:
            return self.answer(202, "")
        result = {"tools": []}
        if request["method"] == "initialize":
            result = {"capabilities": {"tools": {}}, "serverInfo": {"name": "fake", "version": "1"}}
            result["protocolVersion"] = request["params"]["protocolVersion"]
        return self.answer(200, json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}))

    do_GET = do_HEAD = do_POST = respond

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
scheme = "http"
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "https"
host = "localhost" if scheme == "https" else "127.0.0.1"
pages = globals()[kind](f"{scheme}://{host}:{server.server_port}")
print(server.server_port, flush=True)
server.serve_forever()
