"""Glewlwyd, an authorization server from Debian, with one user, on a loopback port.

glewlwyd-server.py serve FILE FOLDER    serves until it is ended; the file gets the address; the
                                        package was unpacked into the folder
glewlwyd-server.py browse URL           signs the user in, allows what is asked, and follows the
                                        redirect back
"""

import json
import os
import pathlib
import random
import socket
import sqlite3
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from browse import NAME, PASSWORD, announce, browser

SCHEMA = "share/dbconfig-common/data/glewlwyd/install/sqlite3"
CONFIGURATION = """
port={port}
bind_address="127.0.0.1"
external_url="http://127.0.0.1:{port}"
login_url="login.html"
api_prefix="api"
cookie_domain="127.0.0.1"
cookie_secure=0
session_key="SESSION"
log_mode="console"
log_level="WARNING"
admin_scope="g_admin"
profile_scope="g_profile"
hash_algorithm="SHA512"
user_module_path="{modules}/user"
user_middleware_module_path="{modules}/user"
client_module_path="{modules}/client"
user_auth_scheme_module_path="{modules}/scheme"
plugin_module_path="{modules}/plugin"
database = {{ type = "sqlite3" path = "{file}.database" }};
"""
PROVIDER = {
    "jwt-type": "sha",
    "jwt-key-size": "256",
    "key": "for this run only",
    "access-token-duration": 3600,
    "refresh-token-duration": 1209600,
    "refresh-token-rolling": True,
    # A spent refresh token revokes the last one of its chain.
    "refresh-token-one-use": "always",
    "code-duration": 600,
    "allow-non-oidc": True,
    "auth-type-code-enabled": True,
    "auth-type-code-revoke-replayed": True,
    "auth-type-token-enabled": False,
    "auth-type-id-token-enabled": True,
    "auth-type-none-enabled": False,
    "auth-type-password-enabled": False,
    "auth-type-client-enabled": False,
    "auth-type-device-enabled": False,
    "auth-type-refresh-enabled": True,
    "pkce-allowed": True,
    "pkce-required": True,
    "introspection-revocation-allowed": True,
    "introspection-revocation-allow-target-client": True,
    "register-client-allowed": True,
    "register-client-management-allowed": True,
    "register-client-auth-scope": [],
    "register-client-credentials-scope": [],
    "oauth-as-iss-id": True,
    "subject-type": "public",
}


def serve(file, folder):
    package = pathlib.Path(folder) / "usr"
    port = free_port()
    configuration = pathlib.Path(file + ".configuration")
    configuration.write_text(CONFIGURATION.format(
        port=port, modules=package / "lib/glewlwyd", file=file))
    with sqlite3.connect(file + ".database") as database:
        database.executescript((package / SCHEMA).read_text())
    # The server takes this process's place, so that who ends the process ends it.
    if os.fork():
        os.execv(package / "bin/glewlwyd", ["glewlwyd", f"--config-file={configuration}"])
    place = f"http://127.0.0.1:{port}"
    admin = administrator(place)
    send(admin, f"{place}/api/user/", "POST", {
        "username": NAME, "password": PASSWORD, "enabled": True, "scope": ["g_profile"]})
    send(admin, f"{place}/api/mod/plugin/", "POST", {
        "module": "oidc", "name": "oidc", "display_name": "OpenID Connect",
        "parameters": PROVIDER | {"iss": f"{place}/api/oidc"}})
    announce(file, f"{place}/api/oidc")


def free_port():
    """A port that nobody uses, below those that the kernel gives to others meanwhile: the server can
    neither choose one nor be handed a socket."""
    while True:
        port = random.randrange(32_000, 32_700)
        try:
            socket.create_server(("127.0.0.1", port)).close()
            return port
        except OSError:
            pass


def administrator(place):
    """The browser of the administrator whom the package's database has, signed in."""
    tab = browser()
    parent = os.getppid()
    while os.getppid() == parent:
        try:
            send(tab, f"{place}/api/auth/", "POST", {"username": "admin", "password": "password"})
            return tab
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.02)
    sys.exit("the server has ended")


def send(tab, url, method, body):
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method)
    with tab.open(request):
        pass


def browse(url):
    """Does what the pages' scripts would do."""
    tab = browser(follows=False)
    # Led there by a page of the program that signs in, or at once.
    request = url if "response_type=" in url else redirect(tab, url)
    place = request.partition("/api/")[0]
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request).query))
    send(tab, f"{place}/api/auth/", "POST", {"username": NAME, "password": PASSWORD})
    send(tab, f"{place}/api/auth/grant/{query['client_id']}", "PUT", {"scope": query["scope"]})
    callback = redirect(tab, request + "&g_continue")
    with tab.open(callback) as page:
        return page.status


def redirect(tab, url):
    """Where an address leads."""
    try:
        with tab.open(url) as page:
            sys.exit(f"no redirect: {page.status}")
    except urllib.error.HTTPError as response:
        return response.headers["Location"]


if sys.argv[1] == "serve":
    serve(sys.argv[2], sys.argv[3])
elif browse(sys.argv[2]) != 200:
    sys.exit(1)
