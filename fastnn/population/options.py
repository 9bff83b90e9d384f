"""The options of `Population.fit`: one value for all members, or a list with one for each; and the rows of the members."""

import copy
import dataclasses
import os
import weakref
from collections.abc import Sequence

import numpy as np

from ..callbacks import Callback
from ..checks import list_of
from ..kernels.optimizers import Optimizer
from ..layers import is_ragged
from ..samples.arrays import any_array
from ..samples.data import samples_of
from ..samples.features import features, samples_array
from ..samples.series.ragged import read


def each(name, value, members):
    """Return a list with one value for each member, from a list, a tuple, or one value for all."""
    if isinstance(value, np.ndarray) and value.ndim == 1:
        value = value.tolist()
    if not isinstance(value, (list, tuple)):
        return [value] * members
    if len(value) != members:
        raise ValueError(f"{name} has {len(value)} entries; this population has {members} members: give one value for all, "
                         "or a list of one each")
    return list(value)


def each_callbacks(given, members):
    """Return a list of callbacks for each member: copies of those given, or the result of a function of its number."""
    if callable(given):
        lists = [list_of(f"callbacks({number})", given(number), Callback) for number in range(members)]
    else:
        given = list_of("callbacks", given, Callback)
        for callback in given:
            if hasattr(callback, "path"):
                kind = type(callback).__name__
                raise ValueError(f"all members would write to the file of one {kind}, {callback.path!r}; give a function of "
                                 f"the member's number: callbacks=lambda member: [{kind}(f'{{member}}-…')]")
        lists = [[copy.copy(callback) for callback in given] for _ in range(members)]
    seen, files = set(), {}
    for number, callbacks in enumerate(lists):
        for callback in callbacks:
            path, _ = callback.written_file() or (None, None)
            if path is not None and (other := files.setdefault(os.path.abspath(path), number)) != number:
                raise ValueError(f"members {other} and {number} would both write {path}; give each a file of its own, with "
                                 "the member's number in its name")
            if id(callback) in seen:
                raise ValueError(f"callbacks({number}) has a {type(callback).__name__} that another member has too; make a "
                                 "new one for each")
            seen.add(id(callback))
    return lists


def each_rows(name, given, members, samples):
    """Return the rows (int64) of each member, or None for all rows, from one array or a list of arrays."""
    if isinstance(given, np.ndarray) and given.ndim == 2:
        given = list(given)
    lists = isinstance(given, Sequence) and len(given) > 0 and not isinstance(given[0], (int, np.integer))
    values = each(name, given, members) if lists else [given] * members
    checked = {id(rows): rows_of(f"{name}[{number}]" if lists else name, rows, samples)
               for number, rows in enumerate(values)}
    return [checked[id(rows)] for rows in values]


def count_samples(X, network):
    """Return the number of samples of X, of any dtype; raise an error if X has no rows."""
    shape = network.shapes[0]
    if network.has_several:
        return len(samples_of(network, X))
    if is_ragged(shape):
        return len(read(X, shape[1:]))
    X = samples_array(X, shape)
    return len(X) if X.ndim == 1 + len(shape) else len(features(X, shape, "float32"))


def rows_of(name, rows, samples):
    if rows is None:
        return None
    rows = any_array(name, rows)
    if rows.dtype.kind == "b" and rows.shape == (samples,):
        rows = np.flatnonzero(rows)
    if rows.dtype.kind not in "iu" or rows.ndim != 1 or len(rows) == 0:
        raise ValueError(f"{name} has shape {rows.shape} and dtype {rows.dtype}; give the numbers of some rows of X, "
                         "or a mask of one bool a row")
    if rows.min() < 0 or rows.max() >= samples:
        wrong = rows.min() if rows.min() < 0 else rows.max()
        raise ValueError(f"{name} has row {wrong}; give some of the rows of X, 0 to {samples - 1}")
    return np.require(rows, np.int64, ["C", "A"])


class MemberOptimizers:
    """A copy of an optimizer for each member, so that callbacks of one member do not affect the others.

    Passing the same optimizer again means the same copies, updated with the changes of the optimizer.
    """

    def __init__(self):
        self.copies = weakref.WeakKeyDictionary()  # {optimizer: {member: (its values at the time, the copy)}}

    def of(self, member, given):
        """Return the member's copy if `given` is an optimizer; otherwise `given` itself."""
        if not isinstance(given, Optimizer):
            return given
        values = {field.name: getattr(given, field.name) for field in dataclasses.fields(given)}
        copies = self.copies.setdefault(given, {})
        before, own = copies.get(member, (values, None))
        if own is None:
            own = copy.copy(given)
        for name, value in values.items():
            if before[name] is not value and before[name] != value:
                setattr(own, name, value)
        copies[member] = values, own
        return own

    def adopt(self, member, optimizer):
        """Use an optimizer itself for a member, not a copy of it."""
        if isinstance(optimizer, Optimizer):
            values = {field.name: getattr(optimizer, field.name) for field in dataclasses.fields(optimizer)}
            self.copies.setdefault(optimizer, {})[member] = values, optimizer

    def part(self, members):
        """Return the MemberOptimizers of some of the members, with new numbers."""
        part = MemberOptimizers()
        for given, copies in self.copies.items():
            part.copies[given] = {new: copies[old] for new, old in enumerate(members) if old in copies}
        return part
