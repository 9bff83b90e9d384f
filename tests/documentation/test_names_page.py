"""The page on names shows the tables that the errors use. `python tests/documentation/test_names_page.py` writes them."""

import re
from pathlib import Path

from fastnn.checks import other_arguments, other_attributes, other_names

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "names.md"


def cell(text):
    return text.replace("|", r"\|")


def grouped(table):
    """Return {advice: names} of a table of advice by name."""
    found = {}
    for name, advice in table.items():
        found.setdefault(advice, []).append(name)
    return found


def code(names):
    return ", ".join(f"`{name}`" for name in names)


def tables():
    """Return the rows of each table of the page, in order."""
    same = [(kind, ours, theirs) for kind, table in other_arguments.SAME.items()
            for ours, theirs in grouped({k: v if isinstance(v, str) else " or ".join(v) for k, v in table.items()}).items()]
    return [
        [f"| {code(theirs)} | {kind} `{ours}` |" for kind, table in other_names.OTHER_NAMES.items()
         for ours, theirs in grouped(table).items()],
        [f"| `{name}` | {cell(note)} |" for name, note in other_names.NOTES.items()],
        [f"| {kind} | {code(theirs)} | `{ours}` |" for kind, ours, theirs in same],
        [f"| {kind} | {code(names)} | {cell(advice)} |" for kind, table in other_arguments.ADVICE.items()
         for advice, names in grouped(table).items()],
        ["| `net(X)` | the same as `net.forward(X)` |"]
        + [f"| {code(names)} | {cell(advice)} |" for advice, names in grouped(other_attributes.METHODS).items()],
    ]


def shown(text):
    """Return the rows of each table of a page of Markdown, without its head."""
    return [found.group(1).splitlines() for found in re.finditer(r"^\|(?: --- \|)+\n((?:\|.*\n)+)", text, re.MULTILINE)]


def test_the_page_shows_the_tables():
    assert shown(PAGE.read_text("utf-8")) == tables()


if __name__ == "__main__":
    parts = re.split(r"(^\|(?: --- \|)+\n)(?:(?:\||%).*\n)*", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    rows = iter(tables())
    PAGE.write_text("".join(part + "".join(f"{row}\n" for row in next(rows)) if part.startswith("| ---") else part
                            for part in parts), "utf-8")
