"""Looks, when the pages are built, whether each link from one of them to another leads somewhere: a file, and a place in it.

Sphinx warns of references that it cannot resolve, but not of the addresses that it writes into the pages by itself.
"""

from functools import cache
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

from sphinx.util import logging


class Page(HTMLParser):
    """The links of a page, and the places in it that a link may name."""

    def __init__(self, path):
        super().__init__()
        self.links, self.places = set(), {""}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("href", "src") and value:
                self.links.add(value)
            elif name == "id" or (tag == "a" and name == "name"):
                self.places.add(value)


def check(app, exception):
    if exception is not None or app.builder.format != "html":
        return
    page = cache(Page)
    for path in sorted(app.outdir.rglob("*.html")):
        for link in sorted(page(path).links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists() or (target.suffix == ".html" and unquote(parts.fragment) not in page(target).places):
                logging.getLogger(__name__).warning("%s links to %s, where there is nothing",
                                                    path.relative_to(app.outdir), link)


def setup(app):
    app.connect("build-finished", check)
    return {"parallel_read_safe": True}
