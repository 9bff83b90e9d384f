"""What is done with X, y and weights before scikit-learn's checks, and instead of them."""

import numbers

import numpy as np
import scipy.sparse

from ..samples.arrays import refuse_masked


def plain(name, values):
    """Refuse what scikit-learn takes for numbers without a word: what lies under masks, dates, durations, records."""
    refuse_masked(name, values)
    dtypes = getattr(values, "dtypes", getattr(values, "dtype", None))  # of a data frame there are several
    for dtype in np.ravel(np.array(dtypes, object)):
        temporal = getattr(dtype, "is_temporal", None)  # as polars says it
        if getattr(dtype, "kind", None) in ("m", "M", "V") or (temporal is not None and temporal()):
            raise ValueError(f"{name} has dtype {dtype}; it must hold real numbers")
    return values


def for_all(weight, samples):
    """A single weight as one for each sample; weights of samples as they are."""
    return np.full(samples, weight) if isinstance(weight, numbers.Real) else weight


def dense(X):
    """X as an array."""
    if not scipy.sparse.issparse(X):
        return X
    try:
        return X.toarray()
    except MemoryError:
        size = X.shape[0] * X.shape[1] * X.dtype.itemsize / 2**30
        raise MemoryError(f"X is sparse of shape {X.shape}, and training takes dense samples: {size:.1f} GiB, too many for "
                          "memory; give fewer features (TruncatedSVD), or some rows at a time (partial_fit)") from None
