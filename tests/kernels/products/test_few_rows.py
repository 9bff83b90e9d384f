"""A few rows are predicted by one compiled function that reads Python's objects: the same bits, and no unsafe access."""

import gc
import sys
import weakref

import numpy as np
import pytest

from fastnn import Dense, DivergenceError, Network
from fastnn.program.forward import FEW

LAST = {  # kind of network: its last layer and loss
    "classes": (Dense(3, "softmax"), None),
    "one probability": (Dense(1, "sigmoid"), None),
    "several labels": (Dense(3, "sigmoid"), None),
    "one value": (Dense(1), None),
    "several values": (Dense(3), None),
}
DTYPES = "float32", "float64"


def network(kind, dtype):
    last, loss = LAST[kind]
    return Network([Dense(9, "tanh"), last], inputs=5, loss=loss, dtype=dtype, seed=3)


def rows(samples, dtype):
    return np.random.default_rng(samples).normal(size=(samples, 5)).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", LAST)
def test_few_rows_come_out_as_many_do(kind, dtype):
    net, X = network(kind, dtype), rows(FEW + 1, dtype)
    outputs, predicted = net.forward(X, threads=1), net.predict(X, threads=1)  # threads given: the way of many
    for samples in range(1, FEW + 2):
        few = net.forward(X[:samples])
        assert few.dtype == outputs.dtype
        assert few.tobytes() == outputs[:samples].tobytes()
        labels = net.predict(X[:samples])
        assert labels.dtype == predicted.dtype
        assert labels.shape == predicted[:samples].shape
        assert labels.tobytes() == predicted[:samples].tobytes()
    assert net._forward_few(X[:FEW]) is not None, "none of this went the way of few"
    assert net._forward_few(X) is None


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_result_is_an_array_like_any_other(dtype):
    net, X = network("classes", dtype), rows(2, dtype)
    first, second = net.forward(X), net.forward(X)
    assert type(first) is np.ndarray
    assert first.flags.owndata
    assert first.flags.writeable
    assert first.flags.c_contiguous
    assert not np.shares_memory(first, second)
    kept = second.copy()
    first[:] = 7
    net.forward(X + 1)
    assert np.array_equal(second, kept)
    assert sys.getrefcount(first) == sys.getrefcount(kept)


class Subclass(np.ndarray):
    pass


def unaligned(X):
    spacious = np.empty(X.nbytes + 1, np.uint8)[1:].view(X.dtype).reshape(X.shape)
    spacious[:] = X
    return spacious


SAME_NUMBERS = {
    "columns first": np.asfortranarray, "every other row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "a list": np.ndarray.tolist, "a subclass": lambda X: X.view(Subclass), "unaligned": unaligned,
    "the other byte order": lambda X: X.astype(X.dtype.newbyteorder()),
    "float64": lambda X: X.astype("float64"), "a masked array": np.ma.array,
    "read only": lambda X: np.frombuffer(X.tobytes(), X.dtype).reshape(X.shape),
}


@pytest.mark.parametrize("form", SAME_NUMBERS)
def test_whatever_form_the_numbers_have(form):
    net, X = network("classes", "float32"), rows(2, "float32")
    assert net.forward(SAME_NUMBERS[form](X)).tobytes() == net.forward(X).tobytes()
    assert net.predict(SAME_NUMBERS[form](X)).tolist() == net.predict(X).tolist()


@pytest.mark.parametrize("thing", [
    None, 3, 1.5, "X", b"X", object(), (), [], np.float32(1), np.array(1, np.float32), np.zeros(5, np.float32)[:3],
    np.zeros((1, 1, 5), np.float32), np.zeros((1, 4), np.float32), np.array([["a"] * 5]), np.ndarray, type, print,
])
def test_what_is_no_sample_is_told_as_ever(thing):
    net = network("classes", "float32")
    with pytest.raises((TypeError, ValueError)) as as_ever:
        net.forward(thing, threads=1)
    for function in net.forward, net.predict:
        with pytest.raises(as_ever.type) as told:
            function(thing)
        assert str(told.value) == str(as_ever.value)


def test_no_samples_give_no_outputs():
    net = network("classes", "float32")
    assert net.forward(np.zeros((0, 5), np.float32)).shape == (0, 3)
    assert net.predict(np.zeros((0, 5), np.float32)).shape == (0,)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite_are_an_error_and_the_next_are_none(value):
    net, X = network("classes", "float32"), rows(3, "float32")
    outputs = net.forward(X)
    unsound = X.copy()
    unsound[1, 2] = value
    for function in net.forward, net.predict:
        with pytest.raises(ValueError, match=r"at \(1, 2\)"):
            function(unsound)
        assert net.forward(X).tobytes() == outputs.tobytes()


@pytest.mark.parametrize("kind", ["classes", "one probability", "several labels"])
def test_outputs_that_are_nan_have_no_label(kind):
    net, X = network(kind, "float32"), rows(3, "float32")
    labels = net.predict(X)
    weight = net.parameters["0.weight"].copy()
    net.parameters["0.weight"][0, 0] = np.nan
    with pytest.raises(DivergenceError, match=r"X\[0\]"):
        net.predict(X)
    assert np.isnan(net.forward(X)).any()
    net.parameters["0.weight"][:] = weight
    assert np.array_equal(net.predict(X), labels)


def test_nothing_that_is_shared_is_counted_wrongly():
    net, X, unsound = network("classes", "float32"), rows(2, "float32"), np.full((1, 5), np.nan, np.float32)
    shared = np.dtype("float32"), np.dtype("int64"), np.ndarray, X, unsound, None
    few = net._forward_few, net._predict_few
    for function in few:
        function(X)

    def counts():
        return [sys.getrefcount(thing) for thing in shared]

    before = counts()
    for _ in range(1000):
        for function in few:
            function(X), function(unsound), function(None)
    assert counts() == before


def test_a_network_goes_when_nobody_holds_it():
    net = network("classes", "float32")
    net.forward(rows(1, "float32")), net.predict(rows(1, "float32"))
    gone = weakref.ref(net)
    del net
    gc.collect()
    assert gone() is None


def test_the_function_lives_without_its_network():
    net, X = network("classes", "float32"), rows(2, "float32")
    outputs, few = net.forward(X), net._forward_few
    del net
    gc.collect()
    assert few(X).tobytes() == outputs.tobytes()
