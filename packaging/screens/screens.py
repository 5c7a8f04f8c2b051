"""Plays the scenes of the README's pictures, in their order, and draws each as NAME.svg."""
import os
import re
import sys

from machine import Machine, Terminal
from picture import svg

DEV = "https://dev.example.com"


def first(machine):
    "coder-cred without arguments, and a token before anybody has signed in"
    terminal = Terminal(machine)
    terminal.run("coder-cred")
    terminal.run("coder-cred token")
    return terminal


def login(machine):
    "A sign-in on a desktop: the browser opens and comes back"
    terminal = Terminal(machine, DISPLAY=":0", BROWSER=machine.browser())
    terminal.type(f"coder-cred login {DEV}")
    terminal.expect("[T]oken?")
    terminal.type("b")
    terminal.expect("as alice")
    return terminal


def ssh(machine):
    "A sign-in over SSH: the address to open elsewhere, and the command that leads the answer back"
    terminal = Terminal(machine, SSH_CONNECTION="198.51.100.7 50022 203.0.113.5 22")
    terminal.type(f"coder-cred login {DEV}")
    terminal.expect("[T]oken?")
    terminal.type("b")
    terminal.expect("Waiting 5 minutes")
    address = next(word for word in terminal.text().split() if "/oauth2/authorize?" in word)
    # As if the printed ssh command ran on the other machine.
    machine.run(machine.browser(), address)
    terminal.expect("as alice")
    return terminal


def refused(machine):
    "A sign-in that is declined in the browser"
    terminal = Terminal(machine, DISPLAY=":0", BROWSER=machine.browser("--deny"))
    terminal.type(f"coder-cred login {DEV}")
    terminal.expect("[T]oken?")
    terminal.type("b")
    terminal.expect("hint: ")
    return terminal


def list_(machine):
    "coder-cred list: deployments, accounts, and until when they are signed in"
    machine.login("dev", "--user", "bob")
    machine.login("staging")
    machine.run("coder-cred", "store", given="protocol=https\nhost=git.example.com\nusername=alice\n"
                "password=a password\n")
    machine.run("coder-cred", "use", DEV, "--account", "alice")
    terminal = Terminal(machine)
    terminal.run("coder-cred list")
    return terminal


def status(machine):
    "coder-cred status: what works, and what a person must do"
    machine.control(3001, command="revokeGrant")
    terminal = Terminal(machine)
    terminal.run("coder-cred status --check https://staging.example.com")
    return terminal


def download(machine):
    "coder-cred api shows how far a download has come"
    os.makedirs("/tmp/served/api/v2/files", exist_ok=True)
    with open("/tmp/served/api/v2/files/8d3f24a1-6b0e-4c55-9f0a-2f1d7c9be001", "wb") as file:
        file.truncate(48 << 20)
    terminal = Terminal(machine)
    terminal.type("coder-cred api files/8d3f24a1-6b0e-4c55-9f0a-2f1d7c9be001 >template.tar")
    terminal.wait("the middle", lambda: re.search(r"\((4|5)[0-9] %\)", terminal.text()))
    return terminal


def doctor(machine):
    "coder-cred doctor on a machine whose keyring is locked"
    machine.run("coder-cred", "logout", "https://staging.example.com", check=False)
    machine.run("coder-cred", "logout", DEV, "--account", "bob")
    machine.run("git", "config", "--global", "credential.helper", "coder-cred")
    machine.run("sh", "-c", "mkdir -p ~/.config/coder-cred && "
                "printf '[coder-cred]\\nrefresh-marign=5\\n' >>~/.config/coder-cred/config")
    machine.keyring("/org/freedesktop/secrets", "org.freedesktop.Secret.Service.Lock",
                    "[objectpath '/org/freedesktop/secrets/aliases/default']")
    terminal = Terminal(machine, SSH_CONNECTION="198.51.100.7 50022 203.0.113.5 22")
    terminal.run("coder-cred doctor")
    return terminal


SCENES = [first, login, ssh, refused, list_, status, download, doctor]


def main(wanted):
    unknown = wanted - {scene.__name__.rstrip("_") for scene in SCENES}
    if unknown:
        raise SystemExit(f"screens: there is no picture {', '.join(sorted(unknown))}")
    machine = Machine()
    for scene in SCENES:
        name = scene.__name__.rstrip("_")
        terminal = scene(machine)
        if wanted and name not in wanted:
            continue
        with open(f"/pictures/{name}.svg", "w", encoding="utf-8") as file:
            file.write(svg(scene.__doc__, terminal.screen()))
        print(f"packaging/screens/{name}.svg")


try:
    main(set(sys.argv[1:]))
except SystemExit:
    for path in ["/tmp/log", "/tmp/nginx.log"]:
        if os.path.exists(path):
            with open(path, errors="replace") as log:
                print(log.read()[-2000:], file=sys.stderr)
    raise
