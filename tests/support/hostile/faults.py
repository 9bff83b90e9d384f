"""Mistakes in arrays of numbers: a function from valid numbers to each mistake."""

import math
from fractions import Fraction

import numpy as np

try:
    import pandas as pd
except ImportError:
    pd = None
try:
    import scipy.sparse as sparse
except ImportError:
    sparse = None


def changed(array, value, dtype=None):
    """Return a copy of the numbers with the last one changed."""
    array = np.array(array, float if dtype is None and isinstance(value, float) else dtype)
    array[(-1,) * array.ndim] = value
    return array


def objects(array, last):
    return changed(array, last, object)


def masked_rows(array):
    return [np.ma.masked_array(row, mask=np.arange(np.size(row)) == 0) for row in np.atleast_1d(array)]


def ragged(array):
    rows = [list(np.atleast_1d(row)) for row in array]
    return [*rows[:-1], [*rows[-1], 1.0]]


# Mistakes that no argument accepts, of any shape.
NUMBERS = {
    "nan": lambda a: changed(a, math.nan), "inf": lambda a: changed(a, math.inf), "-inf": lambda a: changed(a, -math.inf),
    "nan in float32": lambda a: changed(a, math.nan, np.float32),
    "inf in float32": lambda a: changed(a, math.inf, np.float32),
    "nan in float16": lambda a: changed(a, math.nan, np.float16),
    "inf in float16": lambda a: changed(a, math.inf, np.float16),
    "nan, big-endian": lambda a: changed(a, math.nan, ">f8"),
    "nan, long double": lambda a: changed(a, math.nan, np.longdouble),
    "nan, backwards": lambda a: changed(a, math.nan)[::-1],
    "nan, Fortran": lambda a: np.asfortranarray(changed(a, math.nan)),
    "nan, read-only": lambda a: np.frombuffer(changed(a, math.nan)).reshape(a.shape),
    "nan, no strides": lambda a: np.broadcast_to(np.float64(math.nan), a.shape),
    "None among numbers": lambda a: objects(a, None), "too large for a float": lambda a: objects(a, 10**400),
    "complex": lambda a: a + 1j, "complex without imaginary part": lambda a: a + 0j,
    "complex in objects": lambda a: objects(a, 1j), "text": lambda a: a.astype(str), "bytes": lambda a: a.astype(bytes),
    "text in objects": lambda a: objects(a, "1"), "bytes in objects": lambda a: objects(a, b"1"),
    "a list of text": lambda a: a.astype(str).tolist(), "dates": lambda a: a.astype("datetime64[s]"),
    "durations": lambda a: a.astype("timedelta64[s]"), "void": lambda a: np.zeros(a.shape, "V4"),
    "records": lambda a: np.zeros(a.shape, [("a", float)]), "two fields": lambda a: np.zeros(a.shape, "f8,f8"),
    "dicts": lambda a: np.full(a.shape, {}), "a list of dicts": lambda a: [{}] * len(a),
    "lists in objects": lambda a: objects(a, [1]), "sets": lambda a: [{1}] * len(a), "ragged": ragged,
    "masked": lambda a: np.ma.masked_array(a, mask=changed(np.zeros(a.shape, bool), True)),
    "all masked": lambda a: np.ma.masked_all(a.shape), "a list of masked rows": masked_rows,
    "masked in a list": lambda a: [*a.tolist()[:-1], np.ma.masked],
    "a set": lambda a: {1.0, 2.0}, "a dict": lambda a: {"a": a}, "a generator": lambda a: (row for row in a),
    "a map": lambda a: map(float, a.ravel()), "a function": lambda a: np.sin, "a type": lambda a: float,
    "a word": lambda a: "numbers", "empty text": lambda a: "", "bytes alone": lambda a: b"\0" * 96,
    "a number": lambda a: 1.5,
    "a whole number": lambda a: 3, "True": lambda a: True, "0 axes": lambda a: np.array(1.5),
    "an object": lambda a: Fraction(1, 2),
    "an empty list": lambda a: [], "a list of empty lists": lambda a: [[]] * len(a),
    "3 axes": lambda a: a.reshape(*a.shape[:2], 1, 1),
    "4 axes": lambda a: a[..., None, None, None], "no rows": lambda a: a[:0], "a row too few": lambda a: a[:-1],
    "a row too many": lambda a: np.concatenate([a, a[:1]]), "one row of all": lambda a: a.reshape(1, -1),
    "no strides, past memory": lambda a: np.broadcast_to(a[:1], (2**45, *a.shape[1:])),
    "no columns": lambda a: np.empty((len(a), 0)), "columns too many": lambda a: np.ones((len(a), 7)),
    "a matrix of one row": lambda a: np.matrix(a.ravel()),
}
if sparse is not None:
    NUMBERS |= {"sparse rows": lambda a: sparse.csr_matrix(a), "sparse columns": lambda a: sparse.csc_matrix(a),
                "a sparse array": lambda a: sparse.coo_array(np.atleast_2d(a))}
if pd is not None:
    NUMBERS |= {
        "a frame with text": lambda a: pd.DataFrame(a.astype(str)), "a frame with nothing": lambda a: pd.DataFrame(),
        "a frame with nan": lambda a: pd.DataFrame(changed(a, math.nan)),
        "a nullable frame with NA": lambda a: pd.DataFrame(changed(a, math.nan)).convert_dtypes(),
        "a frame with NA in objects": lambda a: pd.DataFrame(objects(a, pd.NA)),
        "a frame of dates": lambda a: pd.DataFrame(a.astype("datetime64[s]")),
        "a frame of categories": lambda a: pd.DataFrame(a.astype(str)).astype("category"),
        "a frame one row short": lambda a: pd.DataFrame(a).iloc[1:],
    }

# Mistakes in labels 0, 1, 2 that are still numbers.
LABELS = {
    "too large": lambda y: changed(y, 3), "negative": lambda y: changed(y, -1),
    "2⁶³": lambda y: changed(y, 2**63, np.uint64),
    "2⁷⁰": lambda y: objects(y, 2**70), "not whole": lambda y: changed(y, 0.5, float),
    "almost whole": lambda y: changed(y, 1 + 1e-9, float),
    "huge": lambda y: changed(y, 1e300, float), "negative float": lambda y: changed(y, -1.0, float),
    "int8 below 0": lambda y: changed(y, -128, np.int8),
    "half float": lambda y: changed(y, 0.25, np.float16), "a fraction": lambda y: objects(y, Fraction(1, 2)),
    "counted from 1": lambda y: y + 1, "one-hot of two": lambda y: np.eye(2)[y % 2],
    "one-hot of four": lambda y: np.eye(4)[y],
    "one-hot across": lambda y: np.eye(3)[y].T, "two hot": lambda y: 1 - np.eye(3)[y],
    "none hot": lambda y: 0 * np.eye(3)[y],
    "hot twice over": lambda y: 2 * np.eye(3)[y], "hot in percent": lambda y: 100 * np.eye(3)[y],
    "signs": lambda y: 2 * np.eye(3)[y] - 1, "one-hot with nan": lambda y: changed(np.eye(3)[y], math.nan),
    "logits": lambda y: np.log(0.1 + np.eye(3)[y]), "a pair of labels each": lambda y: np.stack([y, y], axis=1),
}
# Mistakes in weights that are still numbers.
WEIGHTS = {
    "one negative": lambda w: changed(w, -1.0), "all negative": lambda w: -w, "all zero": lambda w: 0 * w,
    "-0": lambda w: -0.0 * w,
    "no weight in bools": lambda w: w > 99, "a column": lambda w: w[:, None], "a matrix": lambda w: np.outer(w, w),
    "cancelling": lambda w: np.where(np.arange(len(w)) % 2, 1.0, -1.0),
}
