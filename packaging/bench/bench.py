"""The scenarios: what is asked of coder-cred and of the helpers people have."""
import argparse
import json
import os
import shutil
import statistics
import sys
import time

import report
from measure import Measure, Program, libraries, median
from session import TOKEN, Session, attributes, other, payload

OURS = "https://dev.coder.com"
GIT = "protocol=https\nhost=git.example.com\n"
DOCKER = "https://registry.example.com"
CAPABILITIES = "capability[]=authtype\ncapability[]=state\n"
TOOLS = ("fast", "full", "git", "floor", "library", "peak", "simulator")


def getters(tools):
    """Every helper's way to ask for the one credential it keeps."""
    request = f"{CAPABILITIES}protocol=https\nhost={OURS[8:]}\n\n"
    exact = [word for pair in attributes(OURS).items() for word in pair]
    return {
        "coder-cred": Program(tools["fast"], "get", given=request),
        "coder-cred-engine": Program(tools["full"], "get", given=request),
        "git-credential-libsecret": Program(tools["git"], "get", given=GIT + "\n"),
        "secret-tool": Program("/usr/bin/secret-tool", "lookup", *exact),
        "docker-credential-secretservice": Program(
            "/usr/bin/docker-credential-secretservice", "get", given=DOCKER),
        "/bin/true": Program("/bin/true"),
        "floor: C, raw D-Bus, static": Program(tools["floor"], *exact),
        "floor: C, libsecret": Program(tools["library"], *exact),
    }


def rounds_of_git(tools):
    """What git asks and says of a credential that works: get and store, by helper and by git."""
    # What git 2.46 and later hand back; older ones hand back the user name and the password.
    ours = (f"{CAPABILITIES}authtype=Bearer\ncredential={TOKEN}\nprotocol=https\n"
            f"host={OURS[8:]}\nusername=alice\n")
    theirs = f"{GIT}username=alice\npassword={TOKEN}\n"
    helpers = {
        "coder-cred": (tools["fast"], f"protocol=https\nhost={OURS[8:]}\n", ours),
        "git-credential-libsecret": (tools["git"], GIT, theirs)}
    steps = {}
    for name, (helper, asked, told) in helpers.items():
        steps[f"{name}: get, store"] = [
            Program(helper, "get", given=asked + "\n"), Program(helper, "store", given=told)]
        command = ["/usr/bin/git", "-c", "credential.helper=", "-c", f"credential.helper={helper}"]
        steps[f"{name}: git credential fill, approve"] = [
            Program(*command, "credential", "fill", given=asked + "\n"),
            Program(*command, "credential", "approve",
                    given=f"{asked}username=alice\npassword={TOKEN}\n")]
    return steps


def writers(tools):
    """Every helper's store and erase, of an item that nothing else uses."""
    told = "protocol=https\nhost=new.example.com\nusername=alice\npassword=sesame\n\n"
    asked = "protocol=https\nhost=new.example.com\nusername=alice\n\n"
    docker = {"ServerURL": "https://new.example.com", "Username": "alice", "Secret": "sesame"}
    return {
        "coder-cred": [Program(tools["fast"], "store", given=told),
                       Program(tools["fast"], "erase", given=asked)],
        "git-credential-libsecret": [Program(tools["git"], "store", given=told),
                                     Program(tools["git"], "erase", given=asked)],
        "secret-tool": [
            Program("/usr/bin/secret-tool", "store", "--label=new", "bench", "new", given="sesame"),
            Program("/usr/bin/secret-tool", "clear", "bench", "new")],
        "docker-credential-secretservice": [
            Program("/usr/bin/docker-credential-secretservice", "store", given=json.dumps(docker)),
            Program("/usr/bin/docker-credential-secretservice", "erase",
                    given=docker["ServerURL"])],
    }


def prepare(session, tools):
    session.keep(OURS)
    session.run([tools["git"], "store"], f"{GIT}username=alice\npassword={TOKEN}\n\n")
    session.run(["docker-credential-secretservice", "store"],
                json.dumps({"ServerURL": DOCKER, "Username": "alice", "Secret": TOKEN}))
    for name, program in getters(tools).items():
        answer = session.run(program.command, program.given)
        if TOKEN.encode() not in answer and name != "/bin/true":
            raise SystemExit(f"bench: {name} does not answer with the token")
    # The fast path answers by itself, or it is not the fast path that is measured.
    os.makedirs(f"{session.directory}/alone")
    alone = f"{session.directory}/alone/coder-cred"
    shutil.copy(tools["fast"], alone)
    for program in [getters({**tools, "fast": alone})["coder-cred"],
                    *rounds_of_git({**tools, "fast": alone})["coder-cred: get, store"]]:
        session.run(program.command, program.given)


def cached(tools, sizes, rounds, results):
    for size in sizes:
        with Session([other(number) for number in range(size - 1)]) as session:
            prepare(session, tools)
            measure = Measure(session, tools)
            steps = {name: [program] for name, program in getters(tools).items()}
            times = measure.rounds(steps, rounds)
            results["get"][size] = {name: values[0] for name, values in times.items()}
            times = measure.rounds(writers(tools), rounds)
            results["store"][size] = {name: values[0] for name, values in times.items()}
            results["erase"][size] = {name: values[1] for name, values in times.items()}
            if size == sizes[0]:
                for name, program in getters(tools).items():
                    results["footprint"][name] = {
                        "peak": measure.peak(program),
                        "instructions": measure.instructions(program),
                        "size": os.path.getsize(os.path.realpath(program.command[0])) / 1e6,
                        "libraries": len(libraries(program.command[0]))}
                results["crowd"] = crowd(measure, getters(tools)["coder-cred"])
                results["round"] = measure.rounds(rounds_of_git(tools), rounds)
                several = {name: getters(tools)[name] for name in
                           ("coder-cred", "git-credential-libsecret", "floor: C, libsecret")}
                results["cold"] = {name: [measure.cold(program) for _ in range(rounds // 4 + 1)]
                                   for name, program in several.items()}
                results["parallel"] = {name: [measure.crowd(program, 64)[0] for _ in range(7)]
                                       for name, program in several.items()}
        print(f"bench: {size} items done", file=sys.stderr)


def crowd(measure, fast):
    rounds = []
    for _ in range(10):
        alone = sum(measure.once(fast)[1] for _ in range(100))
        wall, busy = measure.crowd(fast, 100)
        rounds.append((wall, busy, busy / alone))
    return [statistics.median(column) for column in zip(*rounds)]


def many(tools, rounds, results):
    """A thousand deployments: get of one, and list of all."""
    url = "https://dev{}.example.com"
    for count in (1, 1000):
        items = [(attributes(url.format(n)), payload(url.format(n))) for n in range(count)]
        with Session(items) as session:
            measure = Measure(session, tools)
            exact = [word for pair in attributes(url.format(0)).items() for word in pair]
            times = measure.rounds({
                "fast path": [Program(tools["fast"], "token", url.format(0))],
                "floor": [Program(tools["floor"], *exact)]}, rounds)
            listing = Program(tools["fast"], "list")
            lists = [measure.once(listing)[0] for _ in range(5)]
            results["many"][count] = {
                "fast path": median(times["fast path"][0]), "floor": median(times["floor"][0]),
                "list": median(lists), "peak": measure.peak(listing)}
    print("bench: a thousand deployments done", file=sys.stderr)


def sign_in(session, tools, name):
    """Signs in to a simulated deployment of its own, and returns its URL."""
    path = f"{session.directory}/{name}"
    session.start([tools["simulator"], "serve", "--era", "C", "--url-file", path])
    session.wait(lambda: os.path.exists(path) and os.path.getsize(path))
    url = open(path).read().strip()
    browser = f"{session.directory}/browser"
    with open(browser, "w") as file:
        file.write(f"#!/bin/sh\nexec {tools['simulator']} browse \"$1\"\n")
    os.chmod(browser, 0o755)
    session.run([tools["fast"], "login", url], BROWSER=browser)
    return url


def refresh(tools, rounds, results):
    """A forced refresh beside curl's same request, each with a simulated deployment of its own."""
    with Session([]) as session:
        urls = [sign_in(session, tools, name) for name in ("ours", "curls")]

        def kept(kind):
            return json.loads(session.run(
                ["secret-tool", "lookup", "application", "coder-cred", "kind", kind,
                 "deployment", urls[1]]))

        client, token = kept("client"), kept("session")["refresh_token"]
        measure = Measure(session, tools)
        ours = Program(tools["fast"], "token", urls[0], "--min-ttl", "31536000")
        times = {"coder-cred": [], "curl": []}
        for number in range(rounds + 5):
            answer = f"{session.directory}/answer"
            fields = {"grant_type": "refresh_token", "refresh_token": token,
                      "client_id": client["client_id"]}
            if client["token_endpoint_auth_method"] != "none":
                fields["client_secret"] = client["client_secret"]
            words = [word for pair in fields.items() for word in ("-d", "=".join(pair))]
            theirs = Program("/usr/bin/curl", "-sS", "--fail", "-o", answer, *words,
                             client["token_endpoint"])
            pair = [("coder-cred", ours), ("curl", theirs)]
            for name, program in pair if number % 2 else reversed(pair):
                took, _ = measure.once(program)
                if number >= 5:
                    times[name].append(took)
            token = json.load(open(answer))["refresh_token"]
        results["refresh"] = times
    print("bench: refreshes done", file=sys.stderr)


def expiry(tools, results):
    """A hundred processes that find the same session expired: one of them refreshes it."""
    with Session([]) as session:
        url = sign_in(session, tools, "expiry")
        exact = [word for pair in attributes(url).items() for word in pair]
        measure = Measure(session, tools)
        program = Program(tools["fast"], "token", url)
        times = []
        for _ in range(7):
            kept = json.loads(session.run(["secret-tool", "lookup", *exact]))
            kept["expires_at"] = int(time.time()) - 1
            session.change(attributes(url), json.dumps(kept, separators=(",", ":")))
            times.append(measure.crowd(program, 100)[0])
        results["expiry"] = times
    print("bench: the crowd at expiry done", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser()
    for tool in TOOLS:
        parser.add_argument(f"--{tool}", required=True)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--sizes", default="1,100,5000")
    parser.add_argument("--only", default="cached,many,refresh,expiry")
    parser.add_argument("--markdown")
    parser.add_argument("--picture")
    options = parser.parse_args()
    tools = {name: os.path.abspath(getattr(options, name))
             for name in TOOLS}
    results = {"get": {}, "store": {}, "erase": {}, "footprint": {}, "many": {}, "crowd": None,
               "round": {}, "cold": {}, "parallel": {}, "refresh": None, "expiry": None,
               "rounds": options.rounds}
    if "cached" in options.only:
        cached(tools, [int(size) for size in options.sizes.split(",")], options.rounds, results)
    if "many" in options.only:
        many(tools, options.rounds, results)
    if "refresh" in options.only:
        refresh(tools, options.rounds, results)
    if "expiry" in options.only:
        expiry(tools, results)
    text = report.markdown(results)
    print(text)
    if options.markdown:
        with open(options.markdown, "w") as file:
            file.write(text)
    if options.picture and results["get"]:
        with open(options.picture, "w") as file:
            file.write(report.picture(results["get"]))


main()
