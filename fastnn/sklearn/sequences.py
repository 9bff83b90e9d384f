"""Sequences of any length as the X of an estimator: which X are sequences, and their checks."""

import numpy as np
from sklearn.utils.validation import validate_data

from ..layers import Embedding
from ..samples.series import ragged
from ..samples.series.sequences import Sequences

ONE_SHAPE = "{} holds sequences of several lengths; give the estimator layers that take them, such as layers=[GRU(64)]"


def column_of(X):
    """Return X, or the column of a data frame that has only one, of objects such as lists or arrays."""
    columns = getattr(X, "columns", None)
    if columns is None or not hasattr(X, "iloc"):
        return X
    if len(columns) == 1:
        return X.iloc[:, 0]
    if len(X) and any(np.ndim(cell) for cell in X.iloc[0]):
        ragged.refuse_frame("X", X, "one column with an array (steps, features) in each row, or a list of such arrays")
    return X


def are_sequences(X):
    """Whether samples are sequences for sure: a `Sequences`, an Arrow list array, or arrays or lists of several lengths."""
    X = column_of(X)
    if isinstance(X, Sequences) or type(X).__module__.partition(".")[0] == "pyarrow":
        return True
    if getattr(getattr(X, "dtype", None), "kind", "") == "O" and np.ndim(X) == 1:
        X = list(X)
    if not isinstance(X, (list, tuple)) or isinstance(next(iter(X), ""), (str, bytes)):
        return False
    lengths = {len(each) if hasattr(each, "__len__") else None for each in X}
    return len(lengths) > 1 and None not in lengths


def shape_of(X, layers):
    """Return the shape of samples that are sequences: (None, *shape of a step)."""
    if isinstance(layers[0], Embedding):
        return (None,)
    X = column_of(X)
    if isinstance(X, Sequences):
        step = X.values.shape[1:]
    else:
        first = next((each for each in X if hasattr(each, "__len__") and len(each)), ())
        step = np.shape(first)[1:]
    return None, *(step or (1,))


def tokens_of(layers):
    """Return the size of the vocabulary of the first layer, if it is an `Embedding`; otherwise None."""
    return layers[0].tokens if isinstance(layers[0], Embedding) else None


def validated(estimator, X, y=None, *, shape, reset, dtype, y_numeric=False):
    """Return X as checked Sequences, or (X, y) with checked targets.

    shape: that of a sample. dtype: that of numbers; None to keep float32 and convert others to float64. reset, y_numeric:
    as in scikit-learn's `validate_data`.
    """
    X = column_of(X)
    tokens = tokens_of(estimator.layers)
    if len(shape) == 1 and tokens is None:
        raise ValueError(f"input_shape is {shape}, for sequences of tokens, and the first layer is {estimator.layers[0]!r}; "
                         "begin with an Embedding, or give (None, 1) for sequences of single numbers")
    found = ragged.read(X, shape[1:])
    if dtype is None:
        dtype = "float32" if found.dtype == np.float32 else "float64"
    found = ragged.sequences(found if isinstance(X, Sequences) else X, shape, dtype, tokens=tokens)
    # scikit-learn checks the targets, their number, and the number of features of a step
    like_X = np.broadcast_to(np.zeros((), np.float32), (len(found), int(np.prod(shape[1:]))))
    if y is None:
        validate_data(estimator, like_X, reset=reset)
        return found
    if isinstance(y, (list, tuple)) and len({np.shape(each) for each in y}) > 1:
        raise ValueError("y has a target for each step, and an estimator has one for each sequence; a fastnn.Network with "
                         "return_sequences=True learns targets at steps")
    _, y = validate_data(estimator, like_X, y, multi_output=True, reset=reset, y_numeric=y_numeric)
    return found, y
