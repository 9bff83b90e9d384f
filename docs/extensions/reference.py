"""Writes the API reference: `fastnn.__all__`, sorted by what each name is, and the records of the registries.

A name that becomes public, or a record that is registered, is in the reference the next time the pages are built.
"""

import re

import fastnn
from fastnn.cli.reference import tables
from fastnn.kernels.compiling.registry import Registry
from fastnn.layers import layers

PUBLIC_NAMES, RECORDS = "% public names", "% records"  # the lines that this replaces
PAGES = {"reference/names", "reference/records"}


def subclass_of(base):
    return lambda thing: isinstance(thing, type) and issubclass(thing, base)


# the first heading that fits takes the name; classes that none fits stand under the name of their module
HEADINGS = {
    "Network": lambda thing: thing is fastnn.Network,
    "Layers": lambda thing: thing in layers.values(),
    "Optimizers": lambda thing: thing in fastnn.optimizers.values(),
    "Callbacks": subclass_of(fastnn.Callback),
    "Functions": lambda thing: callable(thing) and not isinstance(thing, type),
    "Registries": lambda thing: isinstance(thing, Registry),
    "Errors": subclass_of(Exception),
}
SPECIFICATIONS = {"Layers", "Optimizers", "Callbacks"}  # their methods are for the training loop, not for the caller


def heading(thing):
    for name, fits in HEADINGS.items():
        if fits(thing):
            return name
    module = thing.__module__.rpartition(".")[2]
    return thing.__name__ if module == thing.__name__.lower() else module.replace("_", " ").capitalize()


def by_heading():
    """The public names under their headings, {"Layers": ["Dense", …], …}."""
    found = {name: [] for name in HEADINGS}
    for name in sorted(fastnn.__all__, key=str.lower):
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


def public_names():
    """Markdown of all public names."""
    parts = []
    for title, names in by_heading().items():
        entries = "\n\n".join(entry(title, name) for name in names)
        parts += [f"## {title}", f"```{{eval-rst}}\n{entries}\n```"]
    return "\n\n".join(parts)


def fill(app, docname, source):
    if docname in PAGES:
        source[0] = source[0].replace(PUBLIC_NAMES, public_names()).replace(RECORDS, tables())


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
    """Methods that other packages put into a class are documented on their own pages."""
    home = getattr(thing, "__module__", None)
    return True if isinstance(home, str) and home.split(".")[0] != "fastnn" else None


def setup(app):
    for mend in (keep_colons, keep_bars):
        app.connect("autodoc-process-docstring", mend, priority=600)  # after Napoleon, which comes at 500
    app.connect("autodoc-skip-member", skip_foreign)
    app.connect("source-read", fill)
    app.connect("env-get-outdated", lambda app, env, added, changed, removed: PAGES & env.found_docs)
    return {"parallel_read_safe": True}
