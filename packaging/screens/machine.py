"""The machine of the pictures: a bus, a keyring, two deployments behind nginx, and a terminal."""
import json
import os
import signal
import ssl
import subprocess
import time
import urllib.request

# Nothing is started by this bus: the keyring is ours.
BUS = """<busconfig><type>session</type><listen>unix:path=/run/user/1000/bus</listen>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/>
<allow own="*"/></policy></busconfig>"""
NGINX = """
daemon off; pid /tmp/nginx.pid; error_log /tmp/nginx.log;
events {}
http {
  access_log off; client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi; uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
  ssl_certificate /tmp/certificate.pem; ssl_certificate_key /tmp/key.pem;
  server {
    listen 443 ssl; server_name dev.example.com;
    location /api/v2/files/ { root /tmp/served; limit_rate 12m; }
    location / { proxy_pass http://127.0.0.1:3000; }
  }
  server {
    listen 443 ssl; server_name staging.example.com;
    location / { proxy_pass http://127.0.0.1:3001; }
  }
}
"""
# systemd, for its one question: the package's timer is on.
SYSTEMCTL = """#!/bin/sh
case $* in
*refresh.timer*) printf 'LoadState=loaded\\nActiveState=active\\nLastTriggerUSec=n/a\\n' ;;
*) printf 'LoadState=loaded\\nResult=success\\nExecStart={ path=/bin/true ; argv[]=x }\\n' ;;
esac
"""
# What is started with an address: a page of our own, which leads to the deployment's.
BROWSER = """#!/bin/sh
page=$1
case $1 in
http://127.0.0.1:*) page=$(curl -s -o /dev/null -w '%{redirect_url}' "$1") ;;
esac
case $page in
*//staging.*) port=3001 ;;
*) port=3000 ;;
esac
exec /given/deployment-simulator browse FLAGS "http://127.0.0.1:$port/${page#https://*/}" 2>>/tmp/log
"""


def wait(what, condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"screens: gave up waiting for {what}")
        time.sleep(0.05)


class Machine:
    """Everything ends with the sandbox, whose first process we are."""

    def __init__(self):
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.environ["SSL_CERT_FILE"] = "/tmp/certificate.pem"
        self.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                 "-nodes", "-days", "2", "-subj", "/CN=example.com", "-addext",
                 "subjectAltName=DNS:dev.example.com,DNS:staging.example.com", "-out",
                 "/tmp/certificate.pem", "-keyout", "/tmp/key.pem")
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/run/user/1000/bus"
        self.write("/tmp/bus.conf", BUS)
        self.start("dbus-daemon", "--config-file=/tmp/bus.conf", "--nofork", "--nopidfile")
        wait("the bus", lambda: os.path.exists("/run/user/1000/bus"))
        self.start("gnome-keyring-daemon", "--unlock", "--foreground", "--components=secrets",
                   given="a password")
        wait("the keyring", lambda: "false" in self.keyring(
            "/org/freedesktop/secrets/aliases/default", "org.freedesktop.DBus.Properties.Get",
            "org.freedesktop.Secret.Collection", "Locked"))
        for host, port, users in [("dev", 3000, ["alice", "bob"]), ("staging", 3001, ["alice"])]:
            self.start("/given/deployment-simulator", "serve", "--port", str(port), "--issuer",
                       f"https://{host}.example.com",
                       *[word for user in users for word in ("--user", user)])
        self.write("/tmp/bin/systemctl", SYSTEMCTL, 0o755)
        self.write("/tmp/nginx.conf", NGINX)
        self.start("nginx", "-c", "/tmp/nginx.conf")
        for host in ["dev", "staging"]:
            wait(host, lambda: self.answers(f"https://{host}.example.com/api/v2/buildinfo"))

    def start(self, *words, given=""):
        with open("/tmp/log", "ab") as log:
            child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=log, stderr=log)
        child.stdin.write(given.encode())
        child.stdin.close()

    def run(self, *words, given="", check=True, **variables):
        done = subprocess.run(words, input=given, text=True, timeout=60, env={**os.environ, **variables},
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if check and done.returncode:
            raise SystemExit(f"screens: {words} failed: {done.stderr}")
        return done.stdout

    def write(self, path, text, mode=0o644):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)

    def answers(self, url):
        try:
            context = ssl.create_default_context(cafile="/tmp/certificate.pem")
            return urllib.request.urlopen(url, context=context, timeout=5).status == 200
        except OSError:
            return False

    def keyring(self, path, method, *arguments):
        return self.run("gdbus", "call", "--session", "--timeout", "5", "-d", "org.freedesktop.secrets",
                        "-o", path, "-m", method, *arguments, check=False)

    def control(self, port, **command):
        """What the simulated deployment can be told to do."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/__control", json.dumps(command).encode(), method="POST")
        return json.load(urllib.request.urlopen(request, timeout=10))

    def browser(self, *flags):
        """A program for BROWSER: allows what it is asked, or does as the simulator's flags say."""
        path = "/tmp/browser" + "".join(flags)
        self.write(path, BROWSER.replace("FLAGS", " ".join(flags)), 0o755)
        return path

    def login(self, host, *flags):
        self.run("coder-cred", "login", f"https://{host}.example.com", BROWSER=self.browser(*flags))


class Terminal:
    """A terminal of 80 columns and 24 rows with a shell in it."""
    started = 0

    def __init__(self, machine, **variables):
        Terminal.started += 1
        self.machine, self.name = machine, f"terminal{Terminal.started}"
        machine.write("/tmp/tmux.conf", "set -g status off\nset -g default-terminal xterm-256color\n")
        settings = [word for pair in variables.items() for word in ("-e", "=".join(pair))]
        self.tmux("new-session", "-d", "-x", "80", "-y", "24", *settings, "-s", self.name,
                  "env 'PS1=$ ' bash --norc --noprofile")
        self.expect("$")

    def tmux(self, *words):
        return self.machine.run("tmux", "-f", "/tmp/tmux.conf", *words)

    def screen(self):
        """The lines that are seen, with their colours."""
        return self.tmux("capture-pane", "-e", "-p", "-t", self.name).rstrip("\n").split("\n")

    def text(self):
        lines = self.tmux("capture-pane", "-J", "-p", "-S", "-100", "-t", self.name)
        return "\n" + lines.rstrip()

    def type(self, line):
        self.tmux("send-keys", "-t", self.name, "-l", line)
        self.tmux("send-keys", "-t", self.name, "Enter")

    def wait(self, what, condition):
        try:
            wait(what, condition, 60)
        except SystemExit as failure:
            raise SystemExit(f"{failure}, on this screen:\n{self.text()}") from None

    def expect(self, words):
        self.wait(f"“{words}”", lambda: words in self.text())

    def run(self, line):
        """Types a command and waits for the next prompt."""
        before = self.text().count("\n$")
        self.type(line)
        self.wait(f"the end of {line}", lambda: self.text().count("\n$") > before)
