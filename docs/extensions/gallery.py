"""Draws the gallery when the pages are built: each module of `fastnn.examples` is run, and gets a page with its pictures,
what it printed and its source. No list is kept by hand: an example shows up by being there.
"""

import contextlib
import importlib
import io
from pathlib import Path

import fastnn
from fastnn import examples

PLACE = "% examples"  # the line of gallery.md that the list of examples replaces
FOLDER = "generated"
# those that take a minute unless told not to
QUICK = {"autoencoder", "camera", "digit_strings", "digits", "lenet", "mnist", "mnist1d", "parity", "segmentation",
         "translator", "writer"}


def example(name):
    return importlib.import_module(f"fastnn.examples.{name}")


def title(name):
    """What stands before the colon in an example's first line, without its article."""
    words = examples.summary(name).split(":")[0].removeprefix("The ").removeprefix("A ")
    return words[0].upper() + words[1:]


def newest_source():
    """When the package was last changed, in seconds since 1970."""
    package = Path(fastnn.__file__).parent
    folders = (package, package / "kernels")  # the second may be a link, which rglob does not follow
    return max(file.stat().st_mtime for folder in folders for file in folder.rglob("*.py"))


def run(name, folder):
    """Run an example, unless what an earlier run left is newer than the package; return what it printed.

    One that asks for a file which is not there prints nothing.
    """
    printed = folder / f"{name}.txt"
    if not printed.exists() or printed.stat().st_mtime < newest_source():
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(SystemExit):
            example(name).main(["--output", str(folder), *(["--quick"] if name in QUICK else [])])
        lines = [line for line in out.getvalue().splitlines() if not line.startswith("picture: ")]
        printed.write_text("\n".join(lines).rstrip(), encoding="utf-8")
    return printed.read_text(encoding="utf-8")


def page(name, folder):
    """Markdown of an example's page."""
    printed = run(name, folder)
    first, *rest = example(name).__doc__.split("\n\n")
    parts = [f"# {title(name)}", first, *rest, f"```\nfastnn examples {name}\n```"]
    parts += [f"![{title(name)}]({picture.name})" for picture in pictures(name, folder)]
    if printed:
        parts += ["## What it printed", "Times are those of the machine on which these pages were built.",
                  f"```text\n{printed}\n```"]
    else:
        parts.append("These pages were built where that file was not, so there is no picture.")
    source = Path(example(name).__file__).read_text(encoding="utf-8").rstrip()
    return "\n\n".join([*parts, "## Source", f"````python\n{source}\n````"]) + "\n"


def pictures(name, folder):
    return sorted([*folder.glob(f"fastnn-{name}.png"), *folder.glob(f"fastnn-{name}-*.png")])


def draw(app):
    folder = Path(app.srcdir) / FOLDER
    folder.mkdir(exist_ok=True)
    for name in examples.names():
        text, file = page(name, folder), folder / f"{name}.md"
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def listing(folder):
    """Markdown of the list: a heading, a sentence and a picture each, and the table of contents."""
    parts = []
    for name in examples.names():
        parts += [f"## [{title(name)}]({FOLDER}/{name}.md)", examples.summary(name)]
        parts += [f"![{title(name)}]({FOLDER}/{picture.name})" for picture in pictures(name, folder)[-1:]]
    entries = "\n".join(f"{FOLDER}/{name}" for name in examples.names())
    return "\n\n".join([*parts, f"```{{toctree}}\n:hidden:\n\n{entries}\n```"])


def fill(app, docname, source):
    if docname == "gallery":
        source[0] = source[0].replace(PLACE, listing(Path(app.srcdir) / FOLDER))


def setup(app):
    app.connect("builder-inited", draw)
    app.connect("source-read", fill)
    app.connect("env-get-outdated", lambda app, env, added, changed, removed: {"gallery"} & env.found_docs)
    return {"parallel_read_safe": True}
