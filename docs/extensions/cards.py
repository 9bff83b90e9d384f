"""Makes cards of lists of pages: the title of a page, what it is about, and its first picture.

In the guide's index, each section is a list of `- [Title](page.md): text`. The list is also the order of the pages in the
side bar. A section of the first page is such a list too. The gallery has cards of its examples.
"""

import re
from pathlib import Path

FIRST, INDEX = "index", "guide/index"
SECTION = re.compile(r"^## (.+)\n\n((?:- \[.*\n)+)", re.MULTILINE)
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
    if docname not in (FIRST, INDEX):
        return
    from outputs import pictures_of

    folder = Path(docname).parent

    def section(found):
        entries = ENTRY.findall(found[2])
        pages = [page.removesuffix(".md") for _, page, _ in entries]
        cards = [card(*entry, next(iter(pictures_of(app, (folder / page).as_posix())), None))
                 for entry, page in zip(entries, pages, strict=True)]
        listed = contents(pages, found[1]) if docname == INDEX else ""
        return f"## {found[1]}\n\n{grid(cards)}\n{listed}"

    source[0] = SECTION.sub(section, source[0])


def setup(app):
    app.connect("source-read", fill)
    app.connect("env-get-outdated", lambda app, env, added, changed, removed: {FIRST, INDEX} & env.found_docs)
    return {"parallel_read_safe": True}
