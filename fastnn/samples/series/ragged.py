"""Checks of X where samples are sequences of any length: conversion of all accepted forms to `Sequences`."""

import numpy as np

from ...checks import shown
from ...kernels.elementwise.finite import all_finite
from ..arrays import any_array, describe_first_non_number, holds_masked, real_array, unchangeable
from ..features import transposed
from .padding import warn_of_padding
from .sequences import Sequences

FORMS = "sequences: a list of arrays, a fastnn.Sequences, or an array (samples, {}) where all are of one length"


def sequences(X, shape, dtype, *, least=1, least_steps=0, tokens=None):
    """Return X as checked Sequences, whose values the gather of a batch reads.

    shape: (None, *shape of a step). least: the least number of samples. least_steps: that of the steps of each. tokens: the
    size of the vocabulary, where a step is a token.
    """
    step = shape[1:]
    found = read(X, step)
    if found.values.shape[1:] != step:
        refuse_step(X, found.values.shape[1:], step)
    if len(found) < least:
        raise ValueError(f"X has no samples; give at least {least}")
    if step == ():
        checked = as_tokens(found, tokens)
        own = checked.steps if isinstance(X, (list, tuple)) else unchangeable(checked.steps, found.values)
        found = checked.with_steps(own)
    else:
        found = as_numbers(found, dtype)
    if not isinstance(X, Sequences):
        warn_of_padding(found)
    if least_steps and (short := np.flatnonzero(found.lengths < least_steps)).size:
        refuse_short(int(short[0]), int(found.lengths[short[0]]), least_steps)
    return found


def read(X, step, name="X"):
    """Return X, whose name in errors is `name`, as Sequences of values of any dtype."""
    if isinstance(X, Sequences):
        X = X if name == "X" else X.copied()
        return X.with_values(X.values[..., None]) if step == (1,) and X.values.ndim == 1 else X
    if type(X).__module__.partition(".")[0] == "pyarrow":
        return of_arrow(X, step, name)
    if hasattr(X, "to_numpy") and getattr(X, "ndim", 0) == 1:  # a column of a table
        X = X.to_numpy()
    if isinstance(X, np.ndarray) and X.dtype.kind != "O":
        return of_equal_lengths(X, step, name)
    if isinstance(X, (list, tuple)) or (isinstance(X, np.ndarray) and X.ndim == 1):
        return of_list(X, step, name)
    if isinstance(X, np.ndarray):
        raise ValueError(f"{name} is an array of Python objects of shape {X.shape}; give a list with an array (steps, "
                         f"{', '.join(map(str, step))}) for each sequence")
    if hasattr(X, "iloc"):
        refuse_frame(name, X, forms(step))
    if hasattr(X, "__array__") and not hasattr(X, "columns"):  # a tensor of another library
        return of_equal_lengths(any_array(name, X), step, name)
    texts = f"; {VOCABULARY}" if isinstance(X, str) and step == () else ""
    raise ValueError(f"{name} is {shown(X)}; this network takes {forms(step)}{texts}")


VOCABULARY = "fastnn.text.Vocabulary.fit(texts) numbers words or characters, and .encode(texts) returns sequences"


def forms(step):
    return FORMS.format(", ".join(["steps", *map(str, step)]))


def of_equal_lengths(X, step, name):
    """Return the Sequences in an array (samples, steps, *step)."""
    if step == (1,) and X.ndim == 2:
        X = X[..., None]
    if X.ndim != 2 + len(step):
        hint = ""
        if X.shape[1:] == step or (X.ndim == 1 and step in ((), (1,))):
            hint = f"; for one sequence give [{name}]"
        raise ValueError(f"{name} has shape {X.shape}; this network takes {forms(step)}{hint}")
    samples, length = X.shape[:2]
    return Sequences(X.reshape(samples * length, *X.shape[2:]), np.arange(samples + 1) * length)


def of_list(X, step, name):
    """Return the Sequences of a list with an array, or a list of numbers, for each."""
    if isinstance(X, np.ndarray):
        X = X.tolist()
    if holds_masked(X):
        raise ValueError(f"{name} holds masked arrays with values missing; fill them first, with .filled(...), or leave the "
                         "steps out")
    arrays = [as_steps(f"{name}[{number}]", each, step) for number, each in enumerate(X)]
    if not arrays:
        return Sequences(np.empty((0, *step)), [0])
    kinds = {array.dtype for array in arrays if len(array)}
    values = np.concatenate(arrays) if len(kinds) < 2 else np.concatenate([array for array in arrays if len(array)])
    return Sequences.of_lengths(values, list(map(len, arrays)))


def as_steps(name, given, step):
    """Return one sequence, whose name in errors is `name`, as an array (steps, *step)."""
    if given is None or (isinstance(given, (float, np.floating)) and given != given):
        raise ValueError(f"{name} is missing; leave the sequence out, or give an empty one")
    if isinstance(given, (str, bytes)):
        raise ValueError(f"{name} is {shown(given)}, a text; give its tokens: {VOCABULARY}")
    try:
        array = any_array(name, given)
    except ValueError as error:
        raise ValueError(f"{error} (each step of a sequence has {' × '.join(map(str, step)) or 'one token'})") from None
    if array.dtype.kind == "O" and array.ndim == 1 and len(array) and np.ndim(array[0]) > 0:
        array = np.array([*array])  # a column of a table with a list for each step
    if array.size == 0 and array.ndim < 2:
        return np.empty((0, *step), np.int32 if step == () else np.float32)
    if step == (1,) and array.ndim == 1:
        array = array[:, None]
    if array.shape[1:] != step or array.ndim == 0:
        refuse_sequence(name, array.shape, step)
    if array.dtype.kind == "O":
        array = real_array(name, array, "float64")
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} has dtype {array.dtype}{describe_first_non_number(array)}; it must hold "
                         f"{'real numbers' if step else 'whole numbers, the tokens: ' + VOCABULARY}")
    return array


def refuse_sequence(name, given, step):
    """Raise an error about the shape of one sequence."""
    wanted = ", ".join(["steps", *map(str, step)])
    hint = ""
    if len(given) == 2 and len(step) == 1:
        hint = f": steps have {given[1]} features, and this network takes {step[0]} (inputs=(None, {step[0]}))"
        if given[0] == step[0]:
            hint += "; if its steps run along the second axis, give X[i].T"
    elif given == ():
        hint = f": for one sequence give [{name.partition('[')[0]}]"
    elif given == step:
        hint = f": for one step give {name}[None]"
    elif len(given) == 1 and len(step) == 1:
        hint = f": give {name}.reshape(-1, {step[0]}) if its numbers lie in that order"
    elif len(given) == 2 and step == ():
        hint = ": tokens have no features; for sequences of numbers give inputs=(None, features)"
    raise ValueError(f"{name} has shape {given}; this network takes sequences ({wanted}){hint}")


def refuse_step(X, given, step):
    """Raise an error about the shape of the steps of X, an array or Sequences."""
    hint = ""
    if len(step) == 1 and tuple(getattr(X, "shape", ()))[1:-1] == step:
        hint = f"; if the steps run along the last axis, give {transposed('X', X, 0, 2, 1)}"
    raise ValueError(f"X has steps of shape {given}; this network takes steps of shape {step} (inputs="
                     f"{(None, *step)}){hint}")


def refuse_frame(name, frame, wanted):
    """Raise an error about a data frame, with what makes sequences of it."""
    hint = ""
    if getattr(frame.index, "nlevels", 1) == 2:  # a row for each step, as in pandas.MultiIndex of sktime
        hint = (f"; if its rows are steps, give Sequences.of_lengths({name}.to_numpy(), "
                f"{name}.groupby(level=0, sort=False).size())")
    elif len(frame) and any(np.ndim(cell) == 1 for cell in frame.iloc[0]):  # nested, as sktime has them
        hint = f"; with a series in each cell, give [np.stack([*row], axis=1) for row in {name}.to_numpy()]"
    elif len(frame.columns) > 1:
        hint = (f"; if its rows are steps, give [steps.to_numpy() for _, steps in {name}.drop(columns=key)"
                f".groupby({name}[key])], where key is the column that numbers the sequences")
    raise ValueError(f"{name} is a data frame of shape {frame.shape}; this takes {wanted}{hint}")


def as_numbers(found, dtype):
    """Return sequences of numbers in `dtype`, or of uint8 if they have several axes, as images are."""
    if found.dtype == np.uint8 and found.values.ndim > 2:
        steps = np.require(found.steps, None, ["C", "A"])
    else:
        steps = real_array("X", found.steps, dtype)
    found = found.with_steps(steps)
    if not all_finite(found.steps):
        refuse_not_finite(found)
    return found


def refuse_not_finite(found):
    """Raise an error that names the first number that is NaN or infinite, by its sequence and step."""
    where = np.argwhere(~np.isfinite(found.steps))[0]
    place = int(where[0]) + int(found.offsets[0])
    number = int(np.searchsorted(found.offsets, place, side="right")) - 1
    at = (place - int(found.offsets[number]), *map(int, where[1:]))
    hint = "drop or fill such steps first, and scale values too large for " + str(found.dtype)
    if np.isnan(found.values[place:found.offsets[number + 1]]).all():
        hint += "; if that is padding, give Sequences.from_padded(X, mask=~np.isnan(X[..., 0])) without it"
    raise ValueError(f"X[{number}] holds {found.values[(place, *map(int, where[1:]))]} at {at}, step {at[0]} (in "
                     f"{found.dtype}); {hint}")


def as_tokens(found, tokens):
    """Return sequences of tokens, whole numbers from 0 to tokens − 1, as int32."""
    steps = found.steps
    if steps.dtype.kind == "f" and steps.size and np.isfinite(steps).all() and (steps == np.floor(steps)).all():
        steps = steps.astype(np.int64)
    if steps.dtype.kind not in "iub" and steps.size:
        raise ValueError(f"X holds {steps.dtype} numbers that are not whole; tokens are whole numbers from 0 to {tokens - 1}"
                         " (for sequences of numbers give inputs=(None, 1))")
    least, most = (int(steps.min()), int(steps.max())) if steps.size else (0, 0)
    if least < 0 or most >= tokens:
        wrong = least if least < 0 else most
        place = int(np.flatnonzero(steps == wrong)[0]) + int(found.offsets[0])
        number = int(np.searchsorted(found.offsets, place, side="right")) - 1
        padding = "; if that is padding, give Sequences.from_padded(X, mask=np.asarray(X) >= 0) without it"
        raise ValueError(f"X[{number}] holds token {wrong} at step {place - int(found.offsets[number])}; with a vocabulary "
                         f"of {tokens} tokens they run from 0 to {tokens - 1}{padding if wrong == -1 else ''}")
    return found.with_steps(np.require(steps, np.int32, ["C", "A"]))


def refuse_short(number, steps, least):
    what = "is empty" if steps == 0 else f"has {steps} step{'s' * (steps > 1)}"
    raise ValueError(f"X[{number}] {what}; this network takes sequences of {least} step{'s' * (least > 1)} at least: leave "
                     "shorter ones out")


def of_arrow(X, step, name):
    """Return the Sequences in a list array of Arrow, whose values are not copied."""
    if hasattr(X, "combine_chunks") and hasattr(X, "chunks"):  # several arrays in one column
        X = X.chunk(0) if X.num_chunks == 1 else X.combine_chunks()
    if not hasattr(X, "flatten") or not hasattr(X, "type"):
        raise ValueError(f"{name} is {type(X).__name__} of pyarrow; give its column of lists")
    if X.null_count:
        number = X.is_null().index(True).as_py()
        raise ValueError(f"{name}[{number}] is missing; leave the sequence out, or give an empty one")
    if hasattr(X, "offsets"):
        offsets, values = X.offsets.to_numpy(), X.values
    elif hasattr(X.type, "list_size"):
        size, values = X.type.list_size, X.flatten()
        offsets = np.arange(len(X) + 1) * size
    else:
        raise ValueError(f"{name} is an Arrow array of {X.type}; this network takes {forms(step)}")
    return Sequences(arrow_steps(values, step, name), offsets)


def arrow_steps(values, step, name):
    """Return the steps of an Arrow array as an array (steps, *step)."""
    count = len(values)
    while hasattr(values.type, "list_size"):
        values = values.flatten()
    if values.null_count:
        raise ValueError(f"{name} has steps that are missing; fill them, or leave them out")
    if hasattr(values, "offsets"):
        raise ValueError(f"{name} holds steps that are lists of any length; make them lists of {step} numbers (pyarrow.list_"
                         " with a size)")
    numbers = values.to_numpy(zero_copy_only=False)
    return numbers.reshape(count, *step) if step in ((), (1,)) or numbers.size != count else numbers
