"""File names that are filled in as a net trains, such as "best-{val_loss:.3f}.safetensors": checked before it begins."""

import os
import re
import string

SEPARATORS = f"([{re.escape(os.sep + (os.altsep or ''))}])"


def literal(path):
    """A path as a template that fills in nothing."""
    return path.replace("{", "{{").replace("}", "}}")


def template(path, names):
    """`path` as what `str.format` fills in; ValueError with the reason if it cannot be.

    names: {name: the values that it is tried with}. Braces in the name of a folder stand for themselves where they cannot be
    filled in and there is such a folder.
    """
    name = os.path.basename(path)
    parts = re.split(SEPARATORS, path[:len(path) - len(name)])
    there = ""  # the folders up to here, while they are known
    for number, part in enumerate(parts):
        if there is not None and why_not(part, names) and os.path.isdir(there + part):
            parts[number] = literal(part)
        elif there is not None and ("{" in part or "}" in part):
            there = None
        there = None if there is None else there + part
    folder = "".join(parts)
    if reason := why_not(folder + name, names):
        raise ValueError(reason)
    if changing := [field for field in fields(folder) if field != "epoch"]:
        raise ValueError(f"whether there is a folder for each {changing[0]!r} is not known before; put it into the name of "
                         "the file alone")
    return folder + name


def fields(text):
    """The names of the fields of a template, also of those within format specifications."""
    found = []
    for _, name, specification, _ in string.Formatter().parse(text):
        found += [] if name is None else [name, *fields(specification)]
    return found


def why_not(text, names):
    """Why a text cannot be filled in with these names; None if it can."""
    try:
        for field in fields(text):
            if field == "" or field.isdigit():
                return "a field needs a name, as {epoch} has"
            if field not in names:
                whole = re.split(r"[.\[]", field)[0]
                return f"{{{field}}} asks for a part of a number" if whole in names else f"nothing is called {field!r}"
    except ValueError as error:  # braces that do not match
        return str(error)
    try:
        filled(text, names)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        return str(error)
    return None


def filled(text, names):
    """A template filled in with the first values of the names, or the last: some want whole numbers, some do not."""
    try:
        return text.format(**{name: values[0] for name, values in names.items()})
    except ValueError:
        return text.format(**{name: values[-1] for name, values in names.items()})
