"""The figures as a table and as a picture."""
import datetime
import os
import platform

from measure import median, p90

BASE = "git-credential-libsecret"


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    system = "Linux"
    with open("/etc/os-release") as file:
        for line in file:
            if line.startswith("PRETTY_NAME="):
                system = line.split("=", 1)[1].strip().strip('"')
    return f"{os.cpu_count()} cores of {model}, {system}, Linux {platform.release().split('-')[0]}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def timed(results, verb):
    sizes = results[verb]
    first = next(iter(sizes.values()))
    rows = []
    for name in sorted(first, key=lambda name: median(first[name])):
        cells = [f"{verb}", name]
        for figures in sizes.values():
            middle, base = median(figures[name]), median(figures[BASE])
            cells.append(f"{middle:.1f} / {p90(figures[name]):.1f} / {middle / base:.2f}")
        rows.append(cells)
    return rows


def markdown(results):
    today = datetime.date.today().isoformat()
    parts = [f"Measured on {today} with {machine()}, in one private session per column; every "
             f"program started afresh {results['rounds']} times, interleaved in random order."]
    if results["get"]:
        head = ["", "ms: median / p90 / ratio to " + BASE]
        head += [f"{size:,} item{'s' if size > 1 else ''}" for size in results["get"]]
        head[0:2] = ["", "median / p90 in ms / ratio"]
        rows = [row for verb in ("get", "store", "erase") for row in timed(results, verb)]
        parts.append(table(head, rows))
    if results["footprint"]:
        rows = [
            [name, f"{figures['peak']:.1f}",
             "–" if figures["instructions"] is None else f"{figures['instructions']:.2f}",
             f"{figures['size']:.2f}", str(figures["libraries"])]
            for name, figures in results["footprint"].items()]
        parts.append(table(
            ["cached get", "peak memory, MB", "instructions, million", "size, MB", "libraries"],
            rows))
    if results["round"]:
        totals = {name: [sum(pair) for pair in zip(*steps)]
                  for name, steps in results["round"].items()}
        rows = []
        for name, values in sorted(totals.items(), key=lambda pair: median(pair[1])):
            base = median(totals[f"{BASE}: {name.split(': ')[1]}"])
            rows.append([name, f"{median(values):.1f}", f"{p90(values):.1f}",
                         f"{median(values) / base:.2f}"])
        parts.append(table(
            ["a round of git, one item", "median, ms", "p90, ms", f"ratio to {BASE}"], rows))
    for key, what in (("cold", "cached get, program and libraries out of the page cache"),
                      ("parallel", "64 cached gets at once, until the last")):
        if results[key]:
            base = median(results[key][BASE])
            parts.append(table([what, "median, ms", f"ratio to {BASE}"], [
                [name, f"{median(values):.1f}", f"{median(values) / base:.2f}"]
                for name, values in results[key].items()]))
    lines = []
    if results["expiry"]:
        lines.append(f"* 100 processes that find one session expired, refreshed once: "
                     f"{median(results['expiry']):.0f} ms until the last.")
    if results["crowd"]:
        wall, busy, ratio = results["crowd"]
        lines.append(f"* 100 cached gets at once: {wall:.0f} ms until the last, {busy:.0f} ms of "
                     f"processor time, {100 * ratio:.0f} times one alone.")
    if results["many"]:
        one, all_of_them = results["many"][1], results["many"][1000]
        lines.append(
            f"* get of one deployment among 1,000: {all_of_them['fast path']:.1f} ms, of one alone "
            f"{one['fast path']:.1f} ms; above the floor that does the same search: "
            f"{all_of_them['fast path'] - all_of_them['floor']:.1f} and "
            f"{one['fast path'] - one['floor']:.1f} ms.")
        lines.append(
            f"* list of 1,000: {all_of_them['list']:.0f} ms, {all_of_them['peak']:.1f} MB; of "
            f"one: {one['list']:.0f} ms, {one['peak']:.1f} MB.")
    if results["refresh"]:
        ours, theirs = results["refresh"]["coder-cred"], results["refresh"]["curl"]
        lines.append(
            f"* refresh, read, locked, marked and saved: {median(ours):.1f} ms (p90 "
            f"{p90(ours):.1f}); curl's POST alone: {median(theirs):.1f} ms (p90 "
            f"{p90(theirs):.1f}).")
    if lines:
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .quiet { fill: #59636e } .head { font-weight: 600 }
  .bar { fill: #8c959f } .ours { fill: #1a7f37 } .limit { fill: #d1d9e0 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .quiet { fill: #9198a1 }
    .bar { fill: #656c76 } .ours { fill: #3fb950 } .limit { fill: #3d444d }
  }
"""


def picture(sizes):
    """Horizontal bars of the medians, the fastest first, one group for each size."""
    longest = max(median(values) for figures in sizes.values() for values in figures.values())
    parts, y = [], 10
    for size, figures in sizes.items():
        y += 18
        what = "1 item" if size == 1 else f"{size:,} items"
        parts.append(f'<text class="head" x="10" y="{y}">One cached lookup, {what} in the '
                     'keyring (median, ms)</text>')
        y += 10
        for name in sorted(figures, key=lambda name: median(figures[name])):
            value = median(figures[name])
            kind = {"coder-cred": "ours", "/bin/true": "limit"}.get(
                name, "limit" if name.startswith("floor") else "bar")
            width = max(1, 400 * value / longest)
            parts.append(
                f'<text x="228" y="{y + 13}" text-anchor="end">{name}</text>'
                f'<rect class="{kind}" x="236" y="{y + 2}" width="{width:.1f}" height="14" rx="3"/>'
                f'<text class="quiet" x="{242 + width:.1f}" y="{y + 13}">{value:.1f}</text>')
            y += 20
        y += 12
    title = "Time of one cached lookup by coder-cred and other credential helpers"
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 {y}" role="img" '
            f'aria-label="{title}"><title>{title}</title><style>{STYLE}</style>'
            + "\n".join(parts) + "</svg>\n")
