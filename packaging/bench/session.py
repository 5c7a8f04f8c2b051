"""A private desktop session: a bus and a gnome-keyring in a directory that is removed again."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

# The limits are the ones of a desktop's session bus.
BUS = """<busconfig><type>session</type><listen>unix:path={0}/bus</listen>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/>
<allow own="*"/></policy>
<limit name="max_incoming_bytes">1000000000</limit>
<limit name="max_outgoing_bytes">1000000000</limit>
<limit name="max_message_size">1000000000</limit>
<limit name="max_completed_connections">100000</limit>
<limit name="max_incomplete_connections">10000</limit>
<limit name="max_connections_per_user">100000</limit>
<limit name="max_replies_per_connection">50000</limit></busconfig>"""
TOKEN = "".join("abcdefghijklmnopqrstuvwxyz0123456789"[(7 * i) % 36] for i in range(800))


# secret-tool would make a second item: its schema is part of what it looks for.
CHANGE = """
import dbus, json, sys
bus, name = dbus.SessionBus(), "org.freedesktop.secrets"
service = dbus.Interface(bus.get_object(name, "/org/freedesktop/secrets"),
                         "org.freedesktop.Secret.Service")
_, session = service.OpenSession("plain", "")
(path,), _ = service.SearchItems(json.loads(sys.argv[1]))
secret = (session, dbus.ByteArray(), dbus.ByteArray(sys.stdin.buffer.read()), "text/plain")
bus.get_object(name, path).SetSecret(
    dbus.Struct(secret, signature="oayays"), dbus_interface="org.freedesktop.Secret.Item")
"""


def payload(url, account="alice"):
    """What coder-cred keeps for a session that is fresh for a day."""
    now = int(time.time())
    return json.dumps(
        {"v": 1, "url": url, "account": account, "method": "oauth", "token_type": "Bearer",
         "access_token": TOKEN, "issued_at": now, "expires_at": now + 86400,
         "refresh_token": TOKEN[:64], "client_id": "0d6f0a50-0000-4000-8000-000000000000"},
        separators=(",", ":"))


def attributes(url, account="alice"):
    return {"application": "coder-cred", "kind": "session", "deployment": url,
            "account": account}


def other(number):
    """An item of another application, such as git's."""
    return ({"xdg:schema": "org.git.Password", "user": "alice", "object": "", "protocol": "https",
             "server": f"host{number}.example.net"}, "a password")


class Session:
    """Starts with a `login` keyring, encrypted and unlocked, and `items` in a second collection.

    gnome-keyring writes a whole keyring for every item it stores, so 5,000 would take it 20
    minutes; a second, unencrypted collection is read from one file instead. A search goes
    through all collections alike.
    """

    def __init__(self, items):
        self.directory = tempfile.mkdtemp(prefix="cc-")
        self.children = []
        self.log = open(f"{self.directory}/log", "ab")
        for name in ("home", "run", "config", "data/keyrings"):
            os.makedirs(f"{self.directory}/{name}", mode=0o700)
        self.environment = {
            "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": f"{self.directory}/home",
            "XDG_RUNTIME_DIR": f"{self.directory}/run",
            "XDG_CONFIG_HOME": f"{self.directory}/config",
            "XDG_DATA_HOME": f"{self.directory}/data",
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.directory}/bus"}
        self._write_keyring(items)
        with open(f"{self.directory}/bus.conf", "w") as file:
            file.write(BUS.format(self.directory))
        self.start(["dbus-daemon", f"--config-file={self.directory}/bus.conf", "--nofork"])
        self.wait(lambda: os.path.exists(f"{self.directory}/bus"))
        self.keyring = self.start(
            ["gnome-keyring-daemon", "--unlock", "--foreground", "--components=secrets"],
            b"a password")
        self.wait(lambda: b"false" in self.run(
            ["gdbus", "call", "--session", "--timeout", "2", "-d", "org.freedesktop.secrets",
             "-o", "/org/freedesktop/secrets/aliases/default", "-m",
             "org.freedesktop.DBus.Properties.Get", "org.freedesktop.Secret.Collection",
             "Locked"], check=False))
        # A keyring without a password opens at the mere request.
        self.run(["gdbus", "call", "--session", "-d", "org.freedesktop.secrets",
                  "-o", "/org/freedesktop/secrets", "-m",
                  "org.freedesktop.Secret.Service.Unlock",
                  "[objectpath '/org/freedesktop/secrets/collection/others']"])

    def _write_keyring(self, items):
        lines = ["[keyring]", "display-name=others", "ctime=1700000000", "mtime=0",
                 "lock-on-idle=false", "lock-after=false", ""]
        for number, (names, secret) in enumerate(items, 1):
            lines += [f"[{number}]", "item-type=0", f"display-name=item {number}",
                      f"secret={secret}", "mtime=1700000000", "ctime=1700000000", ""]
            for index, (name, value) in enumerate(names.items()):
                lines += [f"[{number}:attribute{index}]", f"name={name}", "type=string",
                          f"value={value}", ""]
        with open(f"{self.directory}/data/keyrings/others.keyring", "w") as file:
            file.write("\n".join(lines))

    def start(self, command, given=b"", **more):
        child = subprocess.Popen(
            command, env={**self.environment, **more}, stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=self.log)
        child.stdin.write(given)
        child.stdin.close()
        self.children.append(child)
        return child

    def run(self, command, given="", check=True, **more):
        done = subprocess.run(
            command, env={**self.environment, **more}, input=given.encode(), timeout=120,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if check and done.returncode:
            raise SystemExit(f"bench: {command} failed: {done.stderr.decode(errors='replace')}")
        return done.stdout

    def wait(self, condition):
        end = time.monotonic() + 60
        while not condition():
            if time.monotonic() > end:
                raise SystemExit("bench: the private session did not start")
            time.sleep(0.02)

    def keep(self, url, account="alice"):
        names = [word for pair in attributes(url, account).items() for word in pair]
        self.run(["secret-tool", "store", "--label=bench", *names], payload(url, account))

    def change(self, names, secret):
        """Gives the one item with these attributes another secret, and leaves the rest of it."""
        self.run(["/usr/bin/python3", "-c", CHANGE, json.dumps(names)], secret)

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        if failure:
            with open(f"{self.directory}/log", errors="replace") as file:
                print(file.read()[-2000:], file=sys.stderr)
        for child in reversed(self.children):
            child.terminate()
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
