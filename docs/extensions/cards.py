"""Makes cards of the lists of pages in the guide's index: the title of a page, what it is about, and its first picture.

In the index, each section is a list of `- [Title](page.md): text`. The list is also the order of the pages in the side bar.
The gallery has cards of its examples.
"""

import re
from pathlib import Path

INDEX = "guide/index"
SECTION = re.compile(r"^## (.+)\n\n((?:- .*\n)+)", re.MULTILINE)
ENTRY = re.compile(r"- \[(.+?)\]\((.+?)\): (.+)")


def card(title, target, text, picture=None):
    """Markdown of a card; the address of the picture begins at the folder of the pages, /generated/…."""
    image = [f"[![{title}]({picture})]({target})\n"] if picture else []
    return "\n".join(["```{container} card", *image, f"**[{title}]({target})**\n", text, "```"])


def grid(cards):
    """Markdown of cards side by side."""
    return "\n".join(["````{container} cards", *cards, "````\n"])


def contents(pages, caption=None):
    """Markdown of the entries in the side bar, which the page itself does not show."""
    options = [":hidden:", ":maxdepth: 1", *([f":caption: {caption}"] if caption else [])]
    return "\n".join(["```{toctree}", *options, "", *pages, "```\n"])


def fill(app, docname, source):
    if docname != INDEX:
        return
    from outputs import pictures_of

    folder = Path(docname).parent

    def section(found):
        entries = ENTRY.findall(found[2])
        cards = [card(title, page, text, next(iter(pictures_of(app, f"{folder}/{page.removesuffix('.md')}")), None))
                 for title, page, text in entries]
        pages = [page.removesuffix(".md") for _, page, _ in entries]
        return f"## {found[1]}\n\n{grid(cards)}\n{contents(pages, found[1])}"

    source[0] = SECTION.sub(section, source[0])


def setup(app):
    app.connect("source-read", fill)
    app.connect("env-get-outdated", lambda app, env, added, changed, removed: {INDEX} & env.found_docs)
    return {"parallel_read_safe": True}
