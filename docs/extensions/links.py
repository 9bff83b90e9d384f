"""Looks, when the pages are built, whether each link from one of them to another leads somewhere: a file, and a place in it.

Sphinx warns of references that it cannot resolve, but not of the addresses that it writes into the pages by itself.
"""

import os
import re
from functools import cache
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sphinx.util import logging

# in the text of a page and in its code, quotation marks are written as &quot;
LINK = re.compile(r'\s(?:href|src)="([^"]+)"')
PLACE = re.compile(r'\sid="([^"]+)"|<a\s[^>]*?name="([^"]+)"')


class Page:
    """The links of a page, and the places in it that a link may name."""

    def __init__(self, path):
        text = Path(path).read_text(encoding="utf-8")
        self.links = {unescape(link) for link in LINK.findall(text)}
        self.places = {"", *(unescape(place) for found in PLACE.findall(text) for place in found)}


def check(app, exception):
    if exception is not None or app.builder.format != "html":
        return
    root = os.path.realpath(app.outdir)
    files = {root, *(os.path.join(folder, name) for folder, folders, names in os.walk(root) for name in (*folders, *names))}
    page = cache(Page)
    for path in sorted(file for file in files if file.endswith(".html")):
        for link in sorted(page(path).links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = os.path.normpath(os.path.join(os.path.dirname(path), unquote(parts.path))) if parts.path else path
            if target not in files or (target.endswith(".html") and unquote(parts.fragment) not in page(target).places):
                logging.getLogger(__name__).warning("%s links to %s, where there is nothing",
                                                    os.path.relpath(path, root), link)


def setup(app):
    app.connect("build-finished", check)
    return {"parallel_read_safe": True}
