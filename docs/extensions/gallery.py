"""Draws the gallery when the pages are built: each module of `fastnn.examples` is run, and gets a page with its pictures,
what it printed and its source. gallery.md has the order; an example that it does not name shows up at its end.

An example that asks for a file which is not there shows an earlier run, which the folder `runs` has: its pictures, and
NAME.txt, whose first line is the command and whose other lines are what it printed.
"""

import contextlib
import importlib
import io
import re
import shutil
import textwrap
from pathlib import Path

from cards import card, contents, grid
from processes import call
from sphinx.util import logging

import fastnn
from fastnn import examples

PLACE = re.compile(r"^% examples (.+)$", re.MULTILINE)  # lines of gallery.md, replaced by the cards of these examples
OTHERS = re.compile(r"^(## .+\n\n)% other examples$", re.MULTILINE)  # a section for examples that no line names
FOLDER = "generated"
RUNS = Path(__file__).parents[1] / "runs"
WIDEST = 120  # letters in a line of an output
# those that take a minute unless told not to
QUICK = {"autoencoder", "camera", "digit_strings", "digits", "lenet", "mnist", "mnist1d", "parity", "segmentation",
         "translator", "writer"}


def example(name):
    return importlib.import_module(f"fastnn.examples.{name}")


def title(name):
    """What stands before the colon in an example's first line, without the article of a single noun."""
    words = examples.summary(name).split(":")[0]
    if " and " not in words:
        words = re.sub(r"^(The|An?) ", "", words)
    return words[0].upper() + words[1:]


def newest_source():
    """When the package was last changed, in seconds since 1970."""
    package = Path(fastnn.__file__).parent
    folders = (package, package / "kernels")  # the second may be a link, which rglob does not follow
    return max(file.stat().st_mtime for folder in folders for file in folder.rglob("*.py"))


def is_new(file):
    """Return whether an earlier build made a file after the package was last changed."""
    return file.exists() and file.stat().st_mtime > newest_source()


def run(name, folder):
    """Run an example in a process of its own, unless what an earlier run left is newer than the package."""
    if not is_new(folder / f"{name}.txt") and (failure := call(draw, name, folder)):
        logging.getLogger(__name__).warning("the example %s fails: %s", name, failure)


def draw(name, folder):
    """Run an example here: draw its pictures and write what it prints to a file.

    One that asks for a file which is not there prints nothing.
    """
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        example(name).main(["--output", str(folder), *(["--quick"] if name in QUICK else [])])
    lines = [line for line in out.getvalue().splitlines() if not line.startswith("picture: ")]
    (folder / f"{name}.txt").write_text("\n".join(lines).rstrip(), encoding="utf-8")


def in_lines(text):
    """Return the lines of an output, those broken that no page has room for."""
    return [part for line in text.splitlines() for part in (textwrap.wrap(line, WIDEST) if len(line) > WIDEST else [line])]


def page(name, folder):
    """Markdown of an example's page."""
    command, made, printed = output(name, folder)
    first, *rest = example(name).__doc__.split("\n\n")
    parts = [f"# {title(name)}", first, *rest, f"```\n{command}\n```"]
    parts += [f"![{title(name)}]({picture.name})" for picture in pictures(name, folder)]
    if printed:
        parts += ["## What it printed", made, "```text\n" + "\n".join(in_lines(printed)) + "\n```"]
    else:
        parts.append("Its data were missing where these pages were built, so there is no picture.")
    source = absolute(Path(example(name).__file__).read_text(encoding="utf-8").rstrip())
    return "\n\n".join([*parts, "## Source", f"````python\n{source}\n````"]) + "\n"


def output(name, folder):
    """Return the command of an example, how its output was made, and the output: of this build, else of an earlier run.

    The pictures of an earlier run are copied into the folder.
    """
    printed = (folder / f"{name}.txt").read_text(encoding="utf-8") if (folder / f"{name}.txt").exists() else ""
    if printed or not (RUNS / f"{name}.txt").exists():
        shorter = f" It was run with `--quick`: {quick(name)}. Without, results are better." if name in QUICK else ""
        return f"fastnn examples {name}", ("Times are those of the machine on which these pages were built, which ran other "
                                           f"examples too.{shorter}"), printed
    command, kept = (RUNS / f"{name}.txt").read_text(encoding="utf-8").split("\n", 1)
    for picture in pictures(name, RUNS):
        shutil.copy(picture, folder)
    made = ("The picture and this output are those of an earlier run of the command, since its data were missing where "
            "these pages were built. A dozen other programs used the two cores of that AMD EPYC (Zen 5), so the times are "
            "several times longer than on an idle one.")
    return command, made, kept.rstrip()


def quick(name):
    """What an example does of all with --quick, as its source tells the parser of its options."""
    return re.search(r'quick="(.+?)"', Path(example(name).__file__).read_text(encoding="utf-8"))[1]


def absolute(source):
    """Return the source of an example with imports that work wherever it is copied to."""
    source = re.sub(r"^from \.\. import", "from fastnn import", source, flags=re.MULTILINE)
    source = re.sub(r"^from \.\.(\w)", r"from fastnn.\1", source, flags=re.MULTILINE)
    source = re.sub(r"^from \. import", "from fastnn.examples import", source, flags=re.MULTILINE)
    return re.sub(r"^from \.(\w)", r"from fastnn.examples.\1", source, flags=re.MULTILINE)


def pictures(name, folder):
    return sorted([*folder.glob(f"fastnn-{name}.png"), *folder.glob(f"fastnn-{name}-*.png")])


def write_pages(folder):
    """Write the page of each example, after they have run."""
    for name in examples.names():
        text, file = page(name, folder), folder / f"{name}.md"
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def listing(chosen, folder):
    """Markdown of some examples: cards, and the entries of the side bar."""
    cards = [card(title(name), f"{FOLDER}/{name}.md", examples.summary(name).partition(": ")[2] or examples.summary(name),
                  next((f"{FOLDER}/{picture.name}" for picture in reversed(pictures(name, folder))), None))
             for name in chosen]
    return f"{grid(cards)}\n{contents([f'{FOLDER}/{name}' for name in chosen])}"


def filled(text, folder):
    """The page of the gallery, with the cards of the examples that a line names, and of all others at the end."""
    named = [name for line in PLACE.findall(text) for name in line.split()]
    text = PLACE.sub(lambda line: listing(line[1].split(), folder), text)
    others = [name for name in examples.names() if name not in named]
    return OTHERS.sub(lambda found: f"{found[1]}{listing(others, folder)}" if others else "", text)


def fill(app, docname, source):
    if docname == "gallery":
        source[0] = filled(source[0], Path(app.srcdir) / FOLDER)


def setup(app):
    app.connect("source-read", fill)
    app.connect("env-get-outdated", lambda app, env, added, changed, removed: {"gallery"} & env.found_docs)
    return {"parallel_read_safe": True}
