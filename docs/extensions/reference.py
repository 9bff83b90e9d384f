"""Writes the API reference: `fastnn.__all__`, sorted by what each name is, and the records of the registries.

A name that becomes public, or a record that is registered, is in the reference the next time the pages are built.
"""

import fastnn
from fastnn.kernels.registry import Registry
from fastnn.layers import layers
from fastnn.reference import tables

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
    return thing.__module__.rpartition(".")[2].replace("_", " ").capitalize()


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
    return f".. autoclass:: fastnn.{name}" + ("" if title in SPECIFICATIONS else "\n   :members:")


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


def setup(app):
    app.connect("source-read", fill)
    app.connect("env-get-outdated", lambda app, env, added, changed, removed: PAGES & env.found_docs)
    return {"parallel_read_safe": True}
