"""Shows under each example of the pages what it prints, and the pictures that it saves.

When the pages are built, the Python blocks of a page run from top to bottom in a process and a folder of their own, as the
tests run them. What they gave is kept in the folder `generated` until the page or the package changes. A page whose examples
fail gets a warning, which stops a build with `-W`.
"""

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gallery import FOLDER, in_lines, newest_source
from sphinx.util import logging

BLOCK = re.compile(r"^```python\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
SILENT = {"guide/many"}  # it starts processes of several libraries
SECONDS = 600  # for the examples of a page
LONGEST = 40  # lines of an output that are shown

failed = set()  # pages whose examples failed in this build


def run_page(page):
    """Run the blocks of a page in the current folder; return [(what each printed, the pictures it saved)]."""
    text, namespace, found, known = page.read_text(encoding="utf-8"), {"__name__": "__main__"}, [], set()
    for block in BLOCK.finditer(text):
        printed = io.StringIO()
        above = "\n" * text.count("\n", 0, block.start(1))
        with contextlib.redirect_stdout(printed):
            exec(compile(above + block[1], str(page), "exec"), namespace)
        new = [path for path in Path().rglob("*.png") if path not in known and "runs" not in path.parts]
        saved = [str(path) for path in sorted(new, key=lambda path: path.stat().st_mtime_ns)]  # in the order of the code
        known |= {*map(Path, saved)}
        found.append((printed.getvalue().rstrip(), saved if "savefig" in block[1] else []))
    return found


def outputs_of(page, name, folder):
    """Return [(text, names of pictures)] of the blocks of a page, from an earlier build if nothing has changed since."""
    kept = folder / f"{name.replace('/', '-')}.json"
    if name in failed:
        return []
    if kept.exists() and kept.stat().st_mtime > max(newest_source(), page.stat().st_mtime):
        return json.loads(kept.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as scratch:
        try:
            done = subprocess.run([sys.executable, __file__, page], cwd=scratch, capture_output=True, text=True, check=True,
                                  timeout=SECONDS, env={**os.environ, "MPLBACKEND": "Agg"})
        except subprocess.SubprocessError as error:
            failed.add(name)
            logging.getLogger(__name__).warning("the examples of %s fail, so it shows no outputs: %s", name,
                                                getattr(error, "stderr", None) or error)
            return []
        found = []
        for text, pictures in json.loads(done.stdout.splitlines()[-1]):
            names = [f"{kept.stem}-{len(found)}-{Path(picture).name}" for picture in pictures]
            for picture, own in zip(pictures, names, strict=True):
                shutil.copy(Path(scratch) / picture, folder / own)
            found.append((text, names))
    kept.write_text(json.dumps(found), encoding="utf-8")
    return found


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
    source = Path(app.srcdir)
    return outputs_of(source / f"{name}.md", name, source / FOLDER)


def pictures_of(app, name):
    """Return the addresses of the pictures of a page."""
    if not has_outputs(name, (Path(app.srcdir) / f"{name}.md").read_text(encoding="utf-8")):
        return []
    return [f"/{FOLDER}/{picture}" for _, pictures in of_page(app, name) for picture in pictures]


def run_pages(app):
    """Run the examples of all pages, some at a time, before the first page is read."""
    source = Path(app.srcdir)
    (source / FOLDER).mkdir(exist_ok=True)
    names = [str(page.relative_to(source).with_suffix("").as_posix()) for page in sorted(source.rglob("*.md"))]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda name: pictures_of(app, name), names))


def add_outputs(app, name, source):
    if has_outputs(name, source[0]):
        found = iter(of_page(app, name))
        source[0] = BLOCK.sub(lambda block: block[0] + shown(*next(found, ("", []))), source[0])


def setup(app):
    app.connect("builder-inited", run_pages)
    app.connect("source-read", add_outputs)
    return {"parallel_read_safe": False}


if __name__ == "__main__":
    print("\n" + json.dumps(run_page(Path(sys.argv[1]))))
