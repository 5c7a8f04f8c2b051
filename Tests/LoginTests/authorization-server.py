"""An authorization server that nobody here wrote: canaille, with one user, on a loopback port.

serve FILE     serves until it is ended; the file gets the address
browse URL     signs the user in, allows what is asked, and follows the redirect back
"""

import html.parser
import http.cookiejar
import pathlib
import sys
import urllib.parse
import urllib.request

NAME, PASSWORD = "alice", "correct horse battery staple"


def serve(file):
    import socket

    from canaille import create_app
    from canaille.app import models
    from werkzeug.serving import make_server

    listener = socket.create_server(("127.0.0.1", 0))
    place = f"127.0.0.1:{listener.getsockname()[1]}"
    app = create_app({
        "SECRET_KEY": "for this run only",
        "SERVER_NAME": place,
        "PREFERRED_URL_SCHEME": "http",
        "CANAILLE": {"DATABASE": "memory", "ENABLE_PASSWORD_COMPROMISSION_CHECK": False},
        "CANAILLE_OIDC": {
            "DYNAMIC_CLIENT_REGISTRATION_OPEN": True,
            "REQUIRE_NONCE": False,
            "TRUSTED_DOMAINS": [],
        },
    })
    with app.app_context():
        user = models.User(
            user_name=NAME, formatted_name="Alice", family_name="Alice", password=PASSWORD,
            emails=["alice@example.com"])
        app.backend.save(user)
    server = make_server(
        "127.0.0.1", 0, app, threaded=True, fd=listener.fileno())
    pathlib.Path(file + ".new").write_text(f"http://{place}")
    pathlib.Path(file + ".new").rename(file)
    server.serve_forever()


class Form(html.parser.HTMLParser):
    """The fields of the first form that has any but a search."""

    def __init__(self, text):
        super().__init__()
        self.fields, self.action = {}, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form" and self.action is None:
            self.action = attributes.get("action") or ""
        if tag in ("input", "button") and attributes.get("name"):
            self.fields.setdefault(attributes["name"], attributes.get("value") or "")


def browse(url):
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    given = {"login": NAME, "password": PASSWORD, "answer": "accept"}
    page = opener.open(url)
    origin = urllib.parse.urlsplit(page.url).netloc
    for _ in range(4):
        place = urllib.parse.urlsplit(page.url)
        if place.netloc != origin:
            return page.status
        form = Form(page.read().decode())
        fields = {name: given.get(name, value) for name, value in form.fields.items()}
        target = urllib.parse.urljoin(page.url, form.action or page.url)
        page = opener.open(target, urllib.parse.urlencode(fields).encode())
    raise SystemExit(f"went round in circles at {page.url}")


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    elif browse(sys.argv[2]) != 200:
        sys.exit(1)
