"""Canaille, an authorization server from PyPI, with one user, on a loopback port.

canaille-server.py FILE    serves until it is ended; the file gets the address
"""

import socket
import sys

from browse import NAME, PASSWORD, announce
from canaille import create_app
from canaille.app import models
from werkzeug.serving import make_server


def serve(file):
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
    announce(file, f"http://{place}")
    server.serve_forever()


serve(sys.argv[1])
