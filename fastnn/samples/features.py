"""X: the features of samples, checked."""

from .arrays import any_array, check_finite, real_array


def features(X, inputs, dtype, *, least=1, finite=True):
    """X as (samples, inputs) of `dtype`, all finite; `finite=False` leaves that to be found by the kernel that reads it."""
    X = any_array("X", X)  # converted when its shape is right: that may take a copy
    if X.ndim != 2:
        hint = f"; for one sample give X[None, :], shape (1, {inputs})" if X.shape == (inputs,) else ""
        hint = hint or ("; for one feature give X[:, None]" if X.ndim == 1 and inputs == 1 else "")
        raise ValueError(f"X has shape {X.shape}; this network takes (samples, {inputs}){hint}")
    if X.shape[1] != inputs:
        raise ValueError(f"X has {X.shape[1]} features; this network takes {inputs} (inputs={inputs})")
    if len(X) < least:
        raise ValueError(f"X has no samples; give at least {least}")
    X = real_array("X", X, dtype)
    if finite:
        check_finite("X", X)
    return X
