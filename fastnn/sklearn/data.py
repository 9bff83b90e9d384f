"""Conversions and checks of X, y and weights that replace or precede those of scikit-learn."""

import math
import numbers

import numpy as np
import scipy.sparse

from ..samples.arrays import refuse_masked
from ..samples.features import repair, samples_array


def plain(name, values):
    """Refuse values that scikit-learn would silently take for numbers: masked elements, dates, durations, records."""
    refuse_masked(name, values)
    dtypes = getattr(values, "dtypes", getattr(values, "dtype", None))  # a data frame has several
    for dtype in np.ravel(np.array(dtypes, object)):
        temporal = getattr(dtype, "is_temporal", None)  # a method of polars' dtypes
        if getattr(dtype, "kind", None) in ("m", "M", "V") or (temporal is not None and temporal()):
            raise ValueError(f"{name} has dtype {dtype}; it must hold real numbers")
    return values


def rows_of_shape(X, shape):
    """Return samples (samples, *shape) as (samples, features); other arrays of samples as they are, if their size fits."""
    if isinstance(X, (list, tuple)):
        X = samples_array(X, shape)
    given, features = tuple(np.shape(X)[1:]), math.prod(shape)
    if given == shape or (shape[-1:] == (1,) and given == shape[:-1]):
        return X.reshape(len(X), features) if len(given) > 1 else X
    if len(shape) > 1 and given != (features,):
        raise ValueError(f"X has shape {np.shape(X)}; here samples have the shape {shape}, or {features} features in that "
                         f"order{repair(X, tuple(np.shape(X)), shape)}")
    return X


def for_all(weight, samples):
    """Return a single weight as one for each sample; other weights unchanged."""
    return np.full(samples, weight) if isinstance(weight, numbers.Real) else weight


def dense(X):
    """Return X as a dense array."""
    if not scipy.sparse.issparse(X):
        return X
    try:
        return X.toarray()
    except MemoryError:
        size = X.shape[0] * X.shape[1] * X.dtype.itemsize / 2**30
        raise MemoryError(f"X is sparse of shape {X.shape}, and training takes dense samples: {size:.1f} GiB, too many for "
                          "memory; give fewer features (TruncatedSVD), or some rows at a time (partial_fit)") from None
