"""Functions over time on the three rungs: loops, NumPy and compiled give the same, and write nowhere else."""

import numpy as np
import pytest
from guarded import results_of

from fastnn import compiled, naive, vectorized
from fastnn.compiled import sequence_calls

TOLERANCE = {"float32": 1e-6, "float64": 1e-13}
LENGTHS = {"one": [1], "several": [3, 1, 4], "many": [*range(1, 24)], "long": [70, 3, 130]}
FUNCTIONS = {"last_step_forward": "x", "last_step_backward": "a", "average_over_time_forward": "x",
             "average_over_time_backward": "a", "max_over_time_forward": "x", "max_over_time_backward": "ax"}


@pytest.fixture(autouse=True)
def results(monkeypatch):
    monkeypatch.setattr(sequence_calls, "NUMBERS_PER_PART", 1)  # so that even little is cut into parts
    yield from results_of(sequence_calls, monkeypatch)


def check(name, *arguments, dtype):
    exact = [given.astype("float64") if isinstance(given, np.ndarray) and given.dtype.kind == "f" else given
             for given in arguments]
    expected = [np.array(getattr(rung, name)(*exact)) for rung in (naive, vectorized)]
    for threads in (1, 3):
        found = getattr(compiled, name)(*arguments, threads=threads)
        assert found.dtype == dtype
        for each in expected:
            np.testing.assert_allclose(found, each, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("features", [1, 5, 64])
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_three_rungs(name, lengths, features, dtype):
    rng, offsets = np.random.default_rng(features), [0, *np.cumsum(LENGTHS[lengths]).tolist()]
    arrays = {"x": rng.integers(-3, 4, size=(offsets[-1], features)).astype(dtype),  # with equal maxima
              "a": rng.normal(size=(len(offsets) - 1, features)).astype(dtype)}
    check(name, *(arrays[each] for each in FUNCTIONS[name]), offsets, dtype=dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("tokens", "features", "positions"), [(1, 1, 1), (7, 5, 20), (300, 64, 90)])
def test_embeddings(tokens, features, positions, dtype):
    rng = np.random.default_rng(tokens)
    x, numbers = rng.integers(tokens, size=positions), rng.normal(size=(max(tokens, positions), features)).astype(dtype)
    check("embedding_forward", x, numbers[:tokens], dtype=dtype)
    check("embedding_backward", numbers[:positions], x, tokens, dtype=dtype)


def test_nan_is_the_maximum_of_its_sequence():
    x = np.array([[1.0], [np.nan], [2.0], [3.0]])
    for rung in (naive, vectorized, compiled):
        assert np.isnan(rung.max_over_time_forward(x, [0, 3, 4])[0][0])
        assert np.array(rung.max_over_time_backward([[5.0], [6.0]], x, [0, 3, 4])).ravel().tolist() == [0, 5, 0, 6]


@pytest.mark.parametrize("rung", [naive, vectorized, compiled])
@pytest.mark.parametrize(("name", "given", "words"), [
    ("last_step_forward", ([[1.0], [2.0]], [0, 1, 1, 2]), "sequence 1 has 0 steps"),
    ("last_step_forward", ([[1.0], [2.0]], [0, 1]), "end with 2"),
    ("average_over_time_forward", ([[1.0], [2.0]], [1, 2]), "begin with 0"),
    ("max_over_time_backward", ([[1.0]], [[1.0], [2.0]], [0, 1, 2]), "offsets has 3 elements"),
    ("embedding_forward", ([3], [[1.0], [2.0]]), r"x\[0\] is 3"),
    ("embedding_backward", ([[1.0]], [0, 1], 2), "x has 2 tokens"),
])
def test_what_does_not_fit_is_refused(rung, name, given, words):
    with pytest.raises(ValueError, match=words):
        getattr(rung, name)(*given)
