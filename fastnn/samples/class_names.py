"""Labels that are text: their names, and the numbers 0 … classes − 1 that kernels read.

A network learns the names from the labels of its first fit, in alphabetical order, and keeps them: `Network.class_names`.
Predictions are names then. Labels may be given as names or as numbers from then on. A network with several outputs has a
dict of the names of those that were given text.
"""

from collections.abc import Mapping

import numpy as np

from ..checks import shown
from .arrays import any_array
from .series.sequences import Sequences


def as_numbers(head, y, names):
    """Return (y with names replaced by numbers, names); both as they are if y is not text with one label a sample.

    names: those that the network knows, a tuple, or None to learn them from y.
    """
    if head.kind == "values" and not head.positions and not isinstance(y, dict):
        refuse_text(y)
    if not head.one_label or head.positions or isinstance(y, dict):
        return y, names
    labels = any_array("y", y)
    if not is_text(labels) or labels.shape not in ((len(labels),), (len(labels), 1)):
        return y, names
    found, places = np.unique(labels.reshape(-1).astype(str), return_inverse=True)
    if names is None:
        check_count(head, found)
        return places, tuple(found.tolist())
    unknown = [name for name in found.tolist() if name not in names]
    if unknown:
        raise ValueError(f"y holds the label {unknown[0]!r}; this network knows {in_words(names)}")
    return np.array([names.index(name) for name in found.tolist()])[places], names


def refuse_text(y):
    """Raise an error if y holds text labels, for a network of values."""
    labels = np.asarray(y) if isinstance(y, (list, tuple)) and y and isinstance(y[0], str) else y
    if isinstance(labels, np.ndarray) and labels.dtype.kind in "UT" and labels.size:
        found = len(np.unique(labels))
        if 2 * found > labels.size:  # numbers that are text, rather than labels
            return
        if found == 1:
            raise ValueError(f"y holds the text label {str(labels.flat[0])!r} only, and this network learns values; "
                             "it takes real numbers")
        raise ValueError(f"y holds text labels, {found} different ones, and this network learns values; end it with "
                         f"Dense({found}, 'softmax'), which takes labels")


def is_text(y):
    """Return whether an array holds text and nothing else."""
    if y.ndim == 0 or y.size == 0:
        return False
    return y.dtype.kind in "UT" or (y.dtype.kind == "O" and all(isinstance(each, str) for each in y.flat))


def text_of_steps(y):
    """Return (labels of all steps, lengths, which of them count), of sequences of text labels; None if y has no text.

    A label of None does not count.
    """
    if hasattr(y, "to_numpy") and getattr(y, "ndim", 0) == 1:  # a column of a table
        y = y.to_numpy()
    rows = y if isinstance(y, (Sequences, list, tuple)) or (isinstance(y, np.ndarray) and y.ndim) else ()
    if isinstance(next((label for own in rows if np.ndim(own) for label in own if label is not None), None), str):
        labels, lengths = np.array([label for own in rows for label in own], object), np.array([*map(len, rows)])
        counted = np.array([label is not None for label in labels])
        return (labels, lengths, counted) if is_text(labels[counted]) else None
    return None


def number_of_classes(head):
    return max(head.outputs, 2)


def check_count(head, found):
    """Refuse to learn the names of other than as many classes as the network tells apart."""
    classes = number_of_classes(head)
    if len(found) > classes:
        raise ValueError(f"y holds {len(found)} different labels, {in_words(found)}; this network tells {classes} classes "
                         f"apart: end it with Dense({len(found)}, 'softmax')")
    if len(found) < classes:
        raise ValueError(f"y holds {in_words(found)}; this network tells {classes} classes apart: name all of them first, "
                         "with net.class_names = ['a', 'b', …], or end it with fewer outputs")


def in_words(names):
    names = list(map(repr, map(str, names[:8]))) + ["…"] * (len(names) > 8)
    return ", ".join(names)


def checked_names(head, names):
    """Return names as a tuple, after checking that there is one for each class; None stays None."""
    if names is None:
        return None
    if not head.one_label or head.positions:
        raise ValueError(f"class_names are for samples of one class each; this network learns {head.description}")
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"class_names is {shown(names)}; it must be a list of text, a name for each class")
    names = tuple(map(str, names))
    if len(names) != number_of_classes(head) or len({*names}) != len(names):
        raise ValueError(f"class_names is {shown(list(names))}; it must have {number_of_classes(head)} different names, one "
                         "for each class")
    return names


def checked_names_of_each(outputs, heads, names):
    """Return names by output as a dict of tuples, checked; None stays None. outputs: the names of the outputs."""
    if names is None:
        return None
    if not isinstance(names, Mapping):
        raise ValueError(f"class_names is {shown(names)}; this network has several outputs: give a dict of lists by output, "
                         f"such as {{{outputs[0]!r}: ['a', 'b']}}")
    heads, made = dict(zip(outputs, heads, strict=True)), {}
    for output, own in names.items():
        if output not in heads:
            raise ValueError(f"class_names has {shown(output)}, which is no output of this network; they are "
                             f"{', '.join(map(repr, outputs))}")
        try:
            made[output] = checked_names(heads[output], own)
        except ValueError as error:
            raise ValueError(str(error).replace("class_names", f"class_names[{output!r}]", 1)
                             .replace("this network", "this output")) from None
    return {output: own for output, own in made.items() if own is not None} or None
