"""Writes the API reference: `fastnn.__all__`, sorted by what each name is, and the records of the registries.

A line of a page, `% public names: Layers, …`, becomes the names under these headings; one page has all other names. A name
that becomes public, or a record that is registered, is in the reference the next time the pages are built.
"""

import re
from pathlib import Path

import fastnn
from fastnn.cli.reference import tables
from fastnn.fitting.schedules import Schedule
from fastnn.kernels.compiling.registry import Registry
from fastnn.layers import layers

PUBLIC_NAMES = re.compile(r"^% public names: (.+)$", re.MULTILINE)  # the lines that this replaces
OTHER_NAMES, RECORDS = "% other public names", "% records"
FOLDER = "reference"
MADE_OF_LAYERS = "fastnn.layers."  # modules of blocks


def subclass_of(base):
    return lambda thing: isinstance(thing, type) and issubclass(thing, base)


def named(*names):
    return lambda thing: getattr(thing, "__name__", None) in names


# the first heading that fits takes the name; classes that none fits stand under the name of their module
HEADINGS = {
    "Networks": named("Network", "Input", "History", "Stream"),
    "Layers": lambda thing: thing in layers.values(),
    "Of your own": named("CustomLayer", "register_layer", "check_layer", "register_activation", "register_loss", "Metric"),
    "Layers made of layers": lambda thing: isinstance(thing, type) and thing.__module__.startswith(MADE_OF_LAYERS),
    "Optimizers": lambda thing: thing in fastnn.optimizers.values() or thing is fastnn.LBFGS,
    "Schedules": subclass_of(Schedule),
    "Callbacks": subclass_of(fastnn.Callback),
    "Data": named("Sequences", "windows", "k_folds"),
    "Many networks": named("Population", "Sweep", "sweep"),
    "Weights and files": named("from_torch_state_dict", "load_keras"),
    "Functions": lambda thing: callable(thing) and not isinstance(thing, type),
    "Registries": lambda thing: isinstance(thing, Registry),
    "Errors": subclass_of(Exception),
}
# their methods are for the training loop, not for the caller
SPECIFICATIONS = {"Layers", "Layers made of layers", "Optimizers", "Schedules", "Callbacks"}


def heading(thing):
    for name, fits in HEADINGS.items():
        if fits(thing):
            return name
    module = thing.__module__.rpartition(".")[2]
    return thing.__name__ if module == thing.__name__.lower() else module.replace("_", " ").capitalize()


def by_heading():
    """The public names under their headings, {"Layers": ["Dense", …], …}."""
    found = {name: [] for name in HEADINGS}
    for name in sorted(fastnn.__all__, key=lambda name: (name != "Network", name.lower())):  # that one comes first
        found.setdefault(heading(getattr(fastnn, name)), []).append(name)
    return {title: names for title, names in found.items() if names}


def entry(title, name):
    """The directive that documents a name, in reStructuredText."""
    thing = getattr(fastnn, name)
    if isinstance(thing, Registry):
        records = ", ".join(f"``{record}``" for record in thing)
        return (f".. py:data:: fastnn.{name}\n\n   A mapping of name to record, one {thing.kind} each: {records}. "
                "Their formulas are on the page :doc:`records`.")
    if not isinstance(thing, type):
        return f".. autofunction:: fastnn.{name}"
    if issubclass(thing, Exception):
        return f".. autoexception:: fastnn.{name}\n   :show-inheritance:"
    if thing is fastnn.Callback:
        return f".. autoclass:: fastnn.{name}\n   :members:\n   :undoc-members:"
    return f".. autoclass:: fastnn.{name}" + ("" if title in SPECIFICATIONS else "\n   :members:\n   :inherited-members:")


def public_names(titles=None):
    """Markdown of the public names under some headings, by default under all."""
    parts, found = [], by_heading()
    for title in found if titles is None else titles:
        names = found[title]
        entries = "\n\n".join(entry(title, name) for name in names)
        parts += [f"## {title}", f"```{{eval-rst}}\n{entries}\n```"]
    return "\n\n".join(parts)


def titles_of(text):
    """The headings that a page names."""
    return [title for line in PUBLIC_NAMES.findall(text) for title in line.split(", ")]


def others(folder):
    """The headings that no page in a folder names."""
    taken = {title for page in folder.glob("*.md") for title in titles_of(page.read_text(encoding="utf-8"))}
    return [title for title in by_heading() if title not in taken]


def filled(text, folder):
    """A page of the reference with its names and records."""
    text = PUBLIC_NAMES.sub(lambda line: public_names(titles_of(line[0])), text)
    if OTHER_NAMES in text:
        text = text.replace(OTHER_NAMES, public_names(others(folder)))
    return text.replace(RECORDS, tables())


def fill(app, docname, source):
    if docname.startswith(f"{FOLDER}/"):
        source[0] = filled(source[0], Path(app.srcdir) / FOLDER)


def single_attributes(app, what, name, thing, options, lines):
    """Napoleon takes "a, b : int" below Attributes for one name and a type: write an entry for each name."""
    if "Attributes" not in lines:
        return
    first = lines.index("Attributes") + 2
    last = next((i - 1 for i in range(first, len(lines)) if lines[i] and not lines[i].strip("-")), len(lines))
    entries = []
    for line in lines[first:last]:
        if line and not line.startswith(" "):
            entries.append([line])
        elif entries:
            entries[-1].append(line)
    lines[first:last] = [line for head, *text in entries for each in single_names(head) for line in (each, *text)]


def single_names(head):
    """Return the head of an entry for each of its names: ["a : int", "b : int"]."""
    names, colon, kind = head.partition(" : ")
    return [f"{name}{colon}{kind}" for name in names.split(", ")]


def keep_colons(app, what, name, thing, options, lines):
    """Napoleon takes what stands before a colon in a property's first line for its type: put it back."""
    for line in lines if what in {"property", "attribute"} else ():
        if line.startswith(":type: "):
            lines.remove(line)
            lines[0] = f"{line.removeprefix(':type: ')}: {lines[0]}"
            break


def keep_bars(app, what, name, thing, options, lines):
    """The bars of |w| are bars; reStructuredText would put a substitution there. Code keeps them as they are."""
    session = False
    for i, line in enumerate(lines):
        session = line.lstrip().startswith(">>>") or (session and line.strip() != "")
        if not session:
            lines[i] = re.sub(r"(`[^`]*`)|\|", lambda found: found[1] or r"\|", line)


def skip_foreign(app, what, name, thing, skip, options):
    """Methods that other packages put into a class are documented on their own pages; classes in it are for the package."""
    if what == "class" and isinstance(thing, type):
        return True
    home = getattr(thing, "__module__", None)
    return True if isinstance(home, str) and home.split(".")[0] != "fastnn" else None


def setup(app):
    app.connect("autodoc-process-docstring", single_attributes, priority=400)  # before Napoleon
    for mend in (keep_colons, keep_bars):
        app.connect("autodoc-process-docstring", mend, priority=600)  # after Napoleon, which comes at 500
    app.connect("autodoc-skip-member", skip_foreign)
    app.connect("source-read", fill)
    app.connect("env-get-outdated",
                lambda app, env, *changes: {name for name in env.found_docs if name.startswith(f"{FOLDER}/")})
    return {"parallel_read_safe": True}
