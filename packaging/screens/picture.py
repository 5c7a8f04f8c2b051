"""A terminal's screen as SVG: text as text, light or dark as its reader has it."""
import html
import re

COLUMNS = 80
WIDTH, HEIGHT, MARGIN = 8, 17, 14
STYLE = """<style>
  text { font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #1f2328 }
  .window { fill: #f6f8fa; stroke: #d1d9e0 } .bold { font-weight: 600 } .dim { fill: #59636e }
  .c31 { fill: #cf222e } .c32 { fill: #1a7f37 } .c33 { fill: #9a6700 } .c34 { fill: #0969da }
  .c35 { fill: #8250df } .c36 { fill: #1b7c83 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .window { fill: #151b23; stroke: #3d444d } .dim { fill: #9198a1 }
    .c31 { fill: #f85149 } .c32 { fill: #3fb950 } .c33 { fill: #d29922 } .c34 { fill: #4493f8 }
    .c35 { fill: #ab7df8 } .c36 { fill: #39c5cf }
  }
</style>"""


def runs(line):
    """The line's pieces of one look each: column, text, and the classes of STYLE."""
    column, look = 0, set()
    for piece in re.split(r"(\x1b\[[0-9;]*m)", line):
        if not piece.startswith("\x1b["):
            # Renderers do not agree about several blanks, so none is drawn.
            for word in re.finditer(r"\S+( \S+)*", piece):
                yield column + word.start(), word[0], sorted(look)
            column += len(piece)
            continue
        for code in piece[2:-1].split(";"):
            if code in ("", "0"):
                look = set()
            elif code == "1":
                look.add("bold")
            elif code == "2":
                look.add("dim")
            elif code == "22":
                look -= {"bold", "dim"}
            elif code == "49":
                pass
            elif code == "39":
                look = {name for name in look if not name.startswith("c")}
            elif re.fullmatch("3[1-6]", code):
                look = {name for name in look if not name.startswith("c")} | {"c" + code}
            else:
                raise SystemExit(f"screens: the picture has no look for {code}")


def svg(title, lines):
    """The picture of a screen, whose lines hold colours as tmux writes them; empty rows at its end are cut."""
    width, height = COLUMNS * WIDTH + 2 * MARGIN, len(lines) * HEIGHT + 2 * MARGIN
    title = html.escape(title)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-label="{title}"><title>{title}</title>',
        STYLE,
        f'<rect class="window" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"/>']
    for row, line in enumerate(lines):
        for column, text, look in runs(line):
            kind = f' class="{" ".join(look)}"' if look else ""
            parts.append(
                f'<text{kind} x="{MARGIN + column * WIDTH}" y="{MARGIN + row * HEIGHT + 13}" '
                f'textLength="{len(text) * WIDTH}">{html.escape(text)}</text>')
    return "\n".join(parts) + "\n</svg>\n"
