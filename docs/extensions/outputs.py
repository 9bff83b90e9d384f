"""Shows under each example of the pages what it prints, and the pictures that it saves.

When the pages are built, the Python blocks of a page run from top to bottom in a process and a folder of their own, as the
tests run them, and so do the examples of the gallery. What they gave is kept in the folder `generated` until the blocks of
the page or the package change. A page whose examples fail gets a warning, which stops a build with `-W`.
"""

import contextlib
import io
import json
import re
import shutil
import tempfile
from functools import partial
from pathlib import Path

import gallery
from gallery import FOLDER, in_lines, is_new
from processes import call, side_by_side
from sphinx.util import logging

from fastnn import examples

BLOCK = re.compile(r"^```python\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
SILENT = {"guide/many"}  # it starts processes of several libraries
LONGEST = 40  # lines of an output that are shown
# What runs longest, first, so that no core is left to one of them at the end; neighbors compile different kernels. The first
# of all runs alone: it compiles what all training needs, on all cores, and the others find that.
LONG = ["spiral", "autoencoder", "cart_pole", "guide/custom", "neural_ode", "translator", "guide/convolution",
        "guide/compiled", "guide/layers", "guide/sequences", "camera", "guide/images", "newton", "segmentation", "mnist1d"]

of_this_build = {}  # outputs by the names of pages
failed = set()  # pages whose examples failed in this build


def run_page(page, kept):
    """Run the blocks of a page here; write [(a block, what it printed, the pictures it saved)] to the file `kept`.

    The pictures are copied beside it.
    """
    text, namespace, found, known = page.read_text(encoding="utf-8"), {"__name__": "__main__"}, [], set()
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
        for number, block in enumerate(BLOCK.finditer(text)):
            printed = io.StringIO()
            above = "\n" * text.count("\n", 0, block.start(1))
            with contextlib.redirect_stdout(printed):
                exec(compile(above + block[1], str(page), "exec"), namespace)
            new = [path for path in Path().rglob("*.png") if path not in known and "runs" not in path.parts]
            known |= {*new}
            names = []
            if "savefig" in block[1]:
                for path in sorted(new, key=lambda path: path.stat().st_mtime_ns):  # in the order of the code
                    names.append(f"{kept.stem}-{number}-{path.name}")
                    shutil.copy(path, kept.parent / names[-1])
            found.append((block[1], printed.getvalue().rstrip(), names))
    kept.write_text(json.dumps(found), encoding="utf-8")


def outputs_of(page, name, folder):
    """Return [(text, names of pictures)] of the blocks of a page, from an earlier build if it ran the same blocks."""
    kept = folder / f"{name.replace('/', '-')}.json"
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    if name in failed:
        return []
    if not is_new(kept) or [block for block, _, _ in read(kept)] != blocks:
        if failure := call(run_page, page, kept):
            failed.add(name)
            logging.getLogger(__name__).warning("the examples of %s fail, so it shows no outputs: %s", name, failure)
            return []
    return [(text, pictures) for _, text, pictures in read(kept)]


def read(kept):
    return json.loads(kept.read_text(encoding="utf-8"))


def shown(text, pictures):
    """Return the Markdown below a block."""
    lines = in_lines(text)
    if len(lines) > LONGEST:
        lines = [*lines[:LONGEST], "…"]
    parts = ["```{code-block} text\n:class: output\n\n" + "\n".join(lines) + "\n```\n"] if lines else []
    parts += [f"```{{image}} /{FOLDER}/{picture}\n:class: picture\n```\n" for picture in pictures]
    return "\n" + "\n".join(parts) if parts else ""


def has_outputs(name, text):
    return name not in SILENT and not name.startswith(FOLDER) and BLOCK.search(text) is not None


def of_page(app, name):
    """Return the outputs of a page in this build; processes that read pages in parallel know them from before their fork."""
    if name not in of_this_build:
        source = Path(app.srcdir)
        of_this_build[name] = outputs_of(source / f"{name}.md", name, source / FOLDER)
    return of_this_build[name]


def pictures_of(app, name):
    """Return the addresses of the pictures of a page."""
    if not has_outputs(name, (Path(app.srcdir) / f"{name}.md").read_text(encoding="utf-8")):
        return []
    return [f"/{FOLDER}/{picture}" for _, pictures in of_page(app, name) for picture in pictures]


def run_everything(app):
    """Run the examples of the gallery and of all pages, before the first page is read."""
    source = Path(app.srcdir)
    folder = source / FOLDER
    folder.mkdir(exist_ok=True)
    of_this_build.clear()
    pages = [page.relative_to(source).with_suffix("").as_posix() for page in source.rglob("*.md")]
    calls = {name: partial(gallery.run, name, folder) for name in examples.names()}
    calls |= {name: partial(pictures_of, app, name) for name in sorted(pages) if not name.startswith(f"{FOLDER}/")}
    first, *long = [calls.pop(name) for name in LONG]
    first()
    side_by_side([*long, *calls.values()])
    gallery.write_pages(folder)


def add_outputs(app, name, source):
    if has_outputs(name, source[0]):
        found = iter(of_page(app, name))
        source[0] = BLOCK.sub(lambda block: block[0] + shown(*next(found, ("", []))), source[0])


def setup(app):
    app.connect("builder-inited", run_everything)
    app.connect("source-read", add_outputs)
    return {"parallel_read_safe": True}
