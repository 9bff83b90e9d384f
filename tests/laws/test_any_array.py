"""Any array of numbers gives the same bits as a plain, contiguous copy of it, or is clearly refused (hypothesis).

Shapes, strides, dtypes, byte orders, values and containers are random. FASTNN_TEST_CASES sets the number of cases,
FASTNN_TEST_SEED the seed.
"""

import os
from fractions import Fraction

import numpy as np
import pytest
from witness import assert_clear, bits, portrait

from fastnn import BatchNorm, Dense, Network

hypothesis = pytest.importorskip("hypothesis", reason='drawn arrays need the extra: pip install "fastnn-numba[test]"')
from hypothesis import strategies as st  # noqa: E402
from hypothesis.extra import numpy as arrays  # noqa: E402

SEED, CASES = os.environ.get("FASTNN_TEST_SEED"), int(os.environ.get("FASTNN_TEST_CASES", "40"))


def drawn(test):
    """Run a test on that many random cases, the same ones each time unless a seed is given."""
    settings = hypothesis.settings(max_examples=CASES, deadline=None, database=None, derandomize=SEED is None,
                                   suppress_health_check=list(hypothesis.HealthCheck))
    test = settings(test)
    return test if SEED is None else hypothesis.seed(int(SEED))(test)


FEATURES, CLASSES = 3, 4
NAMES = st.sampled_from(["float32", "float64"])
BYTES = st.just(np.dtype(np.uint8))
NETS = {dtype: {
    "classes": Network([Dense(5, "tanh"), BatchNorm(), Dense(CLASSES, "softmax")], inputs=FEATURES, dtype=dtype),
    "values": Network([Dense(4, "relu"), Dense(2)], inputs=FEATURES, dtype=dtype),
} for dtype in ("float32", "float64")}
REAL = st.one_of(arrays.boolean_dtypes(), arrays.integer_dtypes(endianness="?"),
                 arrays.unsigned_integer_dtypes(endianness="?"),
                 arrays.floating_dtypes(endianness="?"), st.just(np.dtype(np.longdouble)))
ANY = st.one_of(REAL, arrays.complex_number_dtypes(), arrays.unicode_string_dtypes(max_len=3), arrays.datetime64_dtypes(),
                arrays.timedelta64_dtypes(), arrays.byte_string_dtypes(max_len=3))


def restrided(draw, array):
    """Return the same elements with other strides: reversed, with gaps, in Fortran order, unaligned, repeated in memory."""
    form = draw(st.sampled_from(["as it is", "backwards", "gaps", "Fortran", "unaligned", "repeated", "read-only",
                                 "transposed"]))
    if array.ndim == 0:
        return array
    if form == "backwards":
        return array[(slice(None, None, -1),) * array.ndim].copy()[(slice(None, None, -1),) * array.ndim]
    if form == "gaps":
        wide = np.zeros(tuple(2 * size + 1 for size in array.shape), array.dtype)
        gaps = tuple(slice(1, None, 2) for _ in array.shape)
        wide[gaps] = array
        return wide[gaps]
    if form == "Fortran":
        return np.asfortranarray(array)
    if form == "unaligned" and not array.dtype.hasobject and array.dtype.itemsize:
        return np.frombuffer(b"." + array.tobytes(), np.uint8)[1:].view(array.dtype).reshape(array.shape)
    if form == "repeated" and len(array):
        return np.broadcast_to(array[:1], array.shape)
    if form == "read-only":
        array = array.copy()
        array.flags.writeable = False
    return array.T.copy().T if form == "transposed" else array


class Wrapped:
    """An object that NumPy can convert to an array."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return np.array(self.array, dtype)

    def __repr__(self):
        return f"Wrapped({self.array!r})"


def contained(draw, array):
    """Return the same elements in another container."""
    forms = ["array", "array", "list", "tuple", "objects", "rows", "masked, nothing missing", "subclass", "wrapped"]
    form = draw(st.sampled_from(forms))
    if form == "list":
        return array.tolist()
    if form == "tuple" and array.ndim:
        return tuple(array.tolist())
    if form == "rows" and array.ndim:
        return list(array)
    if form == "objects":
        return array.astype(object)
    if form == "subclass" and array.ndim == 2:
        return array.view(np.matrix)
    return {"masked, nothing missing": np.ma.asarray, "wrapped": Wrapped}.get(form, lambda each: each)(array)


@st.composite
def arrays_of(draw, shapes, dtypes):
    """Return an array, and its container."""
    array = draw(arrays.arrays(draw(dtypes), draw(shapes)))
    return contained(draw, restrided(draw, array))


def plain(value, dtype):
    """Return a contiguous copy of real numbers in the network's dtype, or None if they are not real or not finite."""
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "biufO":
            return None
        with np.errstate(all="ignore"):
            array = array.astype(np.float64) if array.dtype.kind == "O" else array
            array = np.array(array, dtype, order="C")
    except (TypeError, ValueError, OverflowError):
        return None
    return array if np.isfinite(array).all() else None


ROWS = st.integers(0, 20).map(lambda rows: (rows, FEATURES))
SHAPES = st.one_of(ROWS, ROWS, ROWS, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=6))


@drawn
@hypothesis.given(X=st.one_of(arrays_of(SHAPES, REAL), arrays_of(SHAPES, ANY)), dtype=NAMES)
def test_X(X, dtype):
    net, same = NETS[dtype]["classes"], plain(X, dtype)
    before, held = portrait(X), bits(net)
    try:
        outputs = net.forward(X)
    except ValueError as error:
        assert_clear(error, "X", X)
        assert same is None or same.ndim != 2 or same.shape[1] != FEATURES
    else:
        assert outputs.tobytes() == net.forward(same).tobytes()
        assert net.predict(X).tobytes() == outputs.argmax(axis=1).tobytes()
    assert (portrait(X), bits(net)) == (before, held)


@drawn
@hypothesis.given(data=st.data(), dtype=NAMES, samples=st.integers(1, 6))
def test_targets(data, dtype, samples):
    for kind, width in (("classes", CLASSES), ("values", 2)):
        net = NETS[dtype][kind]
        shapes = st.sampled_from([(samples,), (samples, 1), (samples, width), (samples, width), (), (samples + 1,),
                                  (1, samples)])
        given_y = data.draw(st.one_of(arrays_of(shapes, REAL), arrays_of(shapes, BYTES), labels(samples)))
        X = np.linspace(-1, 1, samples * FEATURES).reshape(samples, FEATURES)
        assert_alike(net, given_y, "y", lambda y, net=net, X=X: net.loss_and_gradients(X, y), dtype)


def labels(samples):
    return arrays_of(st.just((samples,)), st.just(np.dtype(np.int8))).map(
        lambda y: np.abs(np.asarray(y).astype(int)) % CLASSES if np.ndim(y) else y)


@drawn
@hypothesis.given(data=st.data(), dtype=NAMES, samples=st.integers(1, 6))
def test_weights(data, dtype, samples):
    net = NETS[dtype]["values"]
    shapes = st.sampled_from([(samples,), (samples,), (samples, 1), (), (samples + 1,)])
    weights = data.draw(st.one_of(arrays_of(shapes, REAL), arrays_of(shapes, BYTES)))
    X = np.linspace(-1, 1, samples * FEATURES).reshape(samples, FEATURES)
    assert_alike(net, weights, "sample_weight",
                 lambda w: net.loss_and_gradients(X, np.ones((samples, 2)), sample_weight=w), dtype)


def assert_alike(net, given_array, name, call, dtype):
    """The given array gives the same as its plain copy, or is refused like it."""
    before, held, same = portrait(given_array), bits(net), plain(given_array, dtype)
    results = []
    for each in (given_array, same):
        if each is None:
            continue
        try:
            loss, gradients = call(each)
            results.append((loss, [gradient.tobytes() for gradient in gradients.values()]))
        except ValueError as error:
            assert_clear(error, name, each)
            results.append("refused")
        except ArithmeticError:  # of numbers near the largest the loss is not finite
            results.append("too large")
    if same is None:
        assert results == ["refused"]
    else:
        whole = name == "y" and net.is_classifier and np.ndim(same) and same.size == len(same)
        # what is rounded to a whole number in the network's dtype need not be one before
        assert results[0] == results[1] or (whole and results[0] == "refused")
    assert (portrait(given_array), bits(net)) == (before, held)


# Shared memory


def test_data_that_lie_in_the_network_itself():
    """Trained on a view of its own weights, it learns from their original values."""
    def fresh():
        return Network([Dense(4, "tanh"), Dense(4)], inputs=4, seed=3)

    net, apart = fresh(), fresh()
    X, y, weights = net.parameters["0.weight"], net.parameters["1.weight"], net.parameters["0.bias"]
    for each in (net, apart):
        each.parameters["0.bias"][:] = [1, 2, 3, 4]
    copies = X.copy(), y.copy(), weights.copy()
    history = net.fit(X, y, epochs=5, batch_size=2, sample_weight=weights, validation_data=(X, y, weights), progress=False)
    assert dict(history) == dict(apart.fit(copies[0], copies[1], epochs=5, batch_size=2, sample_weight=copies[2],
                                           validation_data=copies, progress=False))
    assert net.vectors.parameters.flat.tobytes() == apart.vectors.parameters.flat.tobytes()


def test_data_that_overlap():
    base = np.random.default_rng(0).normal(size=(30, 4)).astype("float32")
    net = Network([Dense(4)], inputs=4)
    overlapping = net.loss_and_gradients(base[:20], base[10:], sample_weight=abs(base[5:25, 0]))
    apart = net.loss_and_gradients(base[:20].copy(), base[10:].copy(), sample_weight=abs(base[5:25, 0]).copy())
    assert overlapping[0] == apart[0]
    assert all((overlapping[1][name] == apart[1][name]).all() for name in apart[1])


def test_what_is_given_back_is_the_callers_own():
    net, X = Network([Dense(3)], inputs=4), np.ones((5, 4), "float32")
    first = net.forward(X)
    gradients = net.loss_and_gradients(X, np.zeros((5, 3)))[1]
    kept = first.copy(), gradients["0.weight"].copy()
    net.forward(2 * X), net.loss_and_gradients(2 * X, np.ones((5, 3)))
    assert (first == kept[0]).all()
    assert (gradients["0.weight"] == kept[1]).all()
    first[:], gradients["0.weight"][:] = 0, 0
    assert (net.forward(X) == kept[0]).all()


def test_fractions_and_other_numbers_of_python():
    net = NETS["float64"]["classes"]
    halves = [[Fraction(1, 2)] * FEATURES] * 2
    assert net.forward(halves).tobytes() == net.forward(np.full((2, FEATURES), 0.5)).tobytes()


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
def test_a_file_in_memory_is_not_written_to(tmp_path, mode):
    X = np.random.default_rng(0).normal(size=(40, FEATURES)).astype("float32")
    np.save(tmp_path / "X.npy", X)
    before = (tmp_path / "X.npy").read_bytes()
    mapped, net = np.load(tmp_path / "X.npy", mmap_mode=mode), Network([Dense(4, "relu"), Dense(1)], inputs=FEATURES)
    assert net.forward(mapped).tobytes() == net.forward(X).tobytes()
    net.fit(mapped, mapped[:, 0], epochs=2, progress=False)
    del mapped
    assert (tmp_path / "X.npy").read_bytes() == before
