"""Templates of file names, such as "best-{val_loss:.3f}.safetensors". They are checked before the fit begins."""

import os
import re
import string

SEPARATORS = f"([{re.escape(os.sep + (os.altsep or ''))}])"


def literal(path):
    """Return a path as a template without fields."""
    return path.replace("{", "{{").replace("}", "}}")


def template(path, names):
    """Return `path` as a template for `str.format`; raise ValueError with the reason if it is not valid.

    names: {name: test values}. Braces in the name of a folder are kept if they are not a valid field and such a folder
    exists.
    """
    name = os.path.basename(path)
    parts = re.split(SEPARATORS, path[:len(path) - len(name)])
    there = ""  # the path of the folders so far, as long as it is known
    for number, part in enumerate(parts):
        if there is not None and invalid_reason(part, names) and os.path.isdir(there + part):
            parts[number] = literal(part)
        elif there is not None and ("{" in part or "}" in part):
            there = None
        there = None if there is None else there + part
    folder = "".join(parts)
    if reason := invalid_reason(folder + name, names):
        raise ValueError(reason)
    if changing := [field for field in fields(folder) if field != "epoch"]:
        raise ValueError(f"whether there is a folder for each {changing[0]!r} is not known before; put it into the name of "
                         "the file alone")
    return folder + name


def fields(text):
    """Return the names of the fields of a template, including those in format specifications."""
    found = []
    for _, name, specification, _ in string.Formatter().parse(text):
        found += [] if name is None else [name, *fields(specification)]
    return found


def invalid_reason(text, names):
    """Return why a text is not a valid template for these names, or None if it is valid."""
    try:
        for field in fields(text):
            if field == "" or field.isdigit():
                return "a field needs a name, as {epoch} has"
            if field not in names:
                whole = re.split(r"[.\[]", field)[0]
                return f"{{{field}}} asks for a part of a number" if whole in names else f"nothing is called {field!r}"
    except ValueError as error:  # unbalanced braces
        return str(error)
    try:
        formatted(text, names)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        return str(error)
    return None


def formatted(text, names):
    """Format a template with the first values of the names, or the last: some formats need integers, some do not."""
    try:
        return text.format(**{name: values[0] for name, values in names.items()})
    except ValueError:
        return text.format(**{name: values[-1] for name, values in names.items()})
