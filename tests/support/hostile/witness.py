"""What a refused call must not change, and what its error must contain."""

import re
import warnings

import numpy as np
import pytest

# The words by which an error describes what is required, or a repair.
REPAIR = re.compile(r"\b(must|give|takes?|drop|fill|make|choose|use|write|install|known ones are|leave)\b")
REFUSALS = ValueError, MemoryError


def portrait(value):
    """Return everything visible of an argument: elements, also under masks, strides, flags."""
    if isinstance(value, np.ma.MaskedArray):
        return type(value), portrait(value.data), np.ma.getmaskarray(value).tobytes()
    if isinstance(value, np.ndarray):
        sample = value if value.size < 1 << 20 else value[:1]  # some have more rows than memory holds
        numbers = repr(sample.tolist()) if value.dtype.hasobject else sample.tobytes()
        return type(value), value.dtype.str, value.shape, value.strides, str(value.flags), value.ctypes.data, numbers
    if isinstance(value, (list, tuple, set)):
        return type(value), tuple(map(portrait, value))
    if hasattr(value, "toarray"):
        return type(value), value.dtype, value.toarray().tobytes()
    if hasattr(value, "to_numpy"):
        return type(value), str(getattr(value, "dtypes", "")), repr(value.to_numpy().tolist()), repr(value.index)
    return type(value), repr(value)


def bits(net):
    """Return everything in a network that training changes, and the state of its last fit."""
    views = {**net.parameters, **net.state, "random": net.vectors.random}
    found = {name: view.tobytes() for name, view in views.items()}
    for optimizer, memory in net.fits.optimizer_states.items():
        found[id(optimizer)] = memory.step.tobytes(), memory.slots.tobytes(), repr(optimizer)
    return found, id(net.fits.last), None if net.history is None else dict(net.history), net.stop_training


def signs_of(value):
    """Return words of which an error must contain at least one: the value, its type, dtype, shape or an element."""
    signs = [type(value).__name__, repr(value)[:30], str(value)[:30], "masked", "not a rectangular"]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of masks that are lost on the way
            array = np.asarray(value)
    except (TypeError, ValueError, np.ma.MaskError):
        return signs
    signs += [f"shape {array.shape}", f"dtype {array.dtype}", f"holds {array.dtype}", "no axis", "no samples"]
    if array.ndim:
        signs += [f"{len(array)} rows", f"{array.shape[-1]} features"]
    return [*signs, "holds nan", "holds inf", "holds -inf", "holds label", "holds float64", "add up to", "sums to",
            "ranges from", "negative"]


def assert_clear(error, argument, value):
    """The error is one line that names the argument, what was given, and what is required."""
    message = str(error)
    assert "\n" not in message, message
    assert argument in message, message
    assert REPAIR.search(message), message
    assert any(sign in message for sign in signs_of(value)), message


def assert_refused(call, argument, value, net=None, given=(), way=""):
    """`call()` is refused with a clear error, without a warning; the network and the arguments do not change."""
    before = portrait(list(given)), net and bits(net)
    try:
        call()
    except REFUSALS as error:
        assert_clear(error, argument, value)
    else:
        pytest.fail(f"{way} took it")
    assert (portrait(list(given)), net and bits(net)) == before, f"{way} changed something"
