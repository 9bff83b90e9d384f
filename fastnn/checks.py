"""The door: what a caller gives is checked here once, with an error that names the argument and the repair.

Kernels assume what is promised here: shapes that fit, the network's dtype, C order, finite numbers, labels in range.
"""

import operator
from dataclasses import dataclass

import numpy as np

from .kernels.finite import all_finite


def whole_number(where, value, least=1):
    """`value` as an int of at least `least`, or an error that says where it was given."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, (bool, np.bool_)) or number < least:
        raise ValueError(f"{where} is {value!r}; it must be a whole number of at least {least}")
    return number


def real_array(name, values, dtype):
    """`values` as a C-contiguous array of `dtype`; a copy only where one is needed."""
    if np.ma.isMaskedArray(values) and np.ma.is_masked(values):
        raise ValueError(f"{name} is a masked array with values missing; fill them first, with {name}.filled(...)")
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} is not a rectangular array ({error}); give rows of equal length") from error
    if array.dtype.kind not in "biuf":
        try:
            if array.dtype.kind != "O":
                raise TypeError
            array = array.astype(np.float64)
        except (TypeError, ValueError):
            raise ValueError(
                f"{name} has dtype {array.dtype}; it must hold real numbers (encode text as numbers, split complex ones)"
            ) from None
    return np.ascontiguousarray(array, dtype)


def check_finite(name, array):
    """Refuse NaN and infinity, and say where the first one is."""
    if all_finite(array):
        return
    where = np.argwhere(~np.isfinite(array))[0]
    raise ValueError(
        f"{name} holds {array[tuple(where)]} at {tuple(int(i) for i in where)} (in {array.dtype}); "
        f"drop or fill such values first, and scale values too large for {array.dtype}"
    )


def features(X, inputs, dtype, *, least=1):
    """X as (samples, inputs) of `dtype`, all finite."""
    X = real_array("X", X, dtype)
    if X.ndim != 2:
        hint = f"; for one sample give X[None, :], shape (1, {inputs})" if X.shape == (inputs,) else ""
        hint = hint or ("; for one feature give X[:, None]" if X.ndim == 1 and inputs == 1 else "")
        raise ValueError(f"X has shape {X.shape}; this network takes (samples, {inputs}){hint}")
    if X.shape[1] != inputs:
        raise ValueError(f"X has {X.shape[1]} features; this network takes {inputs} (inputs={inputs})")
    if len(X) < least:
        raise ValueError(f"X has no samples; give at least {least}")
    check_finite("X", X)
    return X


@dataclass
class Targets:
    """What a network is to learn: `labels` (samples,) int64 or `values` (samples, outputs), the other None."""

    labels: np.ndarray | None
    values: np.ndarray | None


def targets(y, samples, outputs, dtype, *, kind, single_label):
    """y in the form that a network with `outputs` outputs learns from.

    kind: the loss's "classes", "binary" or "values". single_label: whether integer labels (samples,) are allowed.
    """
    given = np.asarray(y)
    if given.ndim == 0 or len(given) != samples:
        raise ValueError(f"y has {'no axis' if given.ndim == 0 else f'{len(given)} rows'}; X has {samples} samples, one y each")
    if single_label and (given.ndim == 1 or (given.ndim == 2 and given.shape[1] == 1)) and outputs > 1:
        return Targets(class_labels(given.reshape(samples), outputs), None)
    values = real_array("y", y, dtype)
    if values.ndim == 1:
        values = values[:, None]
    if values.shape != (samples, outputs):
        forms = [f"({samples},) integer labels from 0 to {outputs - 1}"] if single_label and outputs > 1 else []
        forms += [f"({samples},)"] if outputs == 1 else []
        raise ValueError(
            f"y has shape {given.shape}; this network takes {' or '.join([*forms, f'({samples}, {outputs})'])}"
        )
    check_finite("y", values)
    if kind in ("classes", "binary") and (values.min() < 0 or values.max() > 1):
        raise ValueError(
            f"y ranges from {values.min()} to {values.max()}; a {kind} loss takes labels or probabilities from 0 to 1 "
            f"(for other values use loss='squared_error')"
        )
    return Targets(None, np.ascontiguousarray(values))


def class_labels(y, classes):
    """Integer labels 0 … classes − 1 as int64."""
    if y.dtype.kind == "O":
        y = np.array(y.tolist())
    if y.dtype.kind == "b":
        y = y.astype(np.int64)
    if y.dtype.kind == "f" and np.all(np.isfinite(y)) and np.all(y == np.floor(y)) and np.all(np.abs(y) < 2**53):
        y = y.astype(np.int64)
    if y.dtype.kind not in "iu":
        raise ValueError(
            f"y holds {y.dtype} values that are not whole numbers; labels are integers from 0 to {classes - 1} "
            f"(np.unique(y, return_inverse=True)[1] makes them)"
        )
    if len(y) and (y.min() < 0 or y.max() >= classes):
        raise ValueError(
            f"y holds label {y.min() if y.min() < 0 else y.max()}; with {classes} outputs labels run from 0 to {classes - 1}"
        )
    return np.ascontiguousarray(y, np.int64)


def sample_weights(weights, samples, dtype):
    """Weights (samples,), none negative, not all zero; None stays None."""
    if weights is None:
        return None
    weights = real_array("sample_weight", weights, dtype)
    if weights.shape != (samples,):
        raise ValueError(f"sample_weight has shape {weights.shape}; X has {samples} samples, so it must be ({samples},)")
    check_finite("sample_weight", weights)
    if weights.min() < 0 or weights.sum(dtype=np.float64) <= 0:
        raise ValueError("sample_weight must not be negative anywhere, and not zero everywhere")
    return weights
