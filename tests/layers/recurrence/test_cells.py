"""Recurrent layers in loops, in NumPy and compiled: each other's numbers, PyTorch's, differences, and the same bits.

tests/tools/torch_recurrence.py made PyTorch's numbers.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from small_nets import central_differences

from fastnn import compiled, naive, vectorized
from fastnn.compiled import recurrent_calls

STORED = np.load(Path(__file__).parents[2] / "data" / "torch" / "recurrence.npz")
CASES = json.loads(str(STORED["cases"]))
RUNGS = {"naive": naive, "vectorized": vectorized, "compiled": compiled}
# cell, gates, the parameter that it may have or not
CELLS = {"simple_rnn": ("simple_rnn", 1, None), "gru": ("gru", 3, "recurrent_bias"), "gru before": ("gru", 3, None),
         "lstm": ("lstm", 4, None), "lstm with peepholes": ("lstm", 4, "peepholes")}
LENGTHS = {"ragged": (3, 0, 7, 1, 4, 7), "one": (4,), "empty": (0,), "single steps": (1, 1, 1), "equal": (5,) * 9}

every_cell = pytest.mark.parametrize("cell", CELLS)
every_way = pytest.mark.parametrize(("return_sequences", "reverse", "initial"),
                                    [(False, False, True), (True, True, False), (False, True, False), (True, False, True)])


def arguments(cell, lengths, in_features, out_features, initial=False, dtype="float64", seed=0):
    rng, (_, gates, more) = np.random.default_rng(seed), CELLS[cell]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(int)
    scale = 1 / np.sqrt(out_features)

    def numbers(*shape):
        return (scale * rng.normal(size=shape)).astype(dtype)

    given = {"x": numbers(offsets[-1], in_features) / scale.astype(dtype), "offsets": offsets,
             "weight": numbers(in_features, gates * out_features),
             "recurrent_weight": numbers(out_features, gates * out_features), "bias": numbers(gates * out_features)}
    if more:
        given[more] = numbers((3 if more == "peepholes" else gates) * out_features)
    if initial:
        given["initial"] = numbers(len(lengths), (2 if gates == 4 else 1) * out_features)
    return given


def both(rung, cell, given, da=None, **options):
    """Return the outputs, and the gradients for da, or for random numbers."""
    name = CELLS[cell][0]
    a = getattr(rung, f"{name}_forward")(**given, **options)
    if da is None:
        da = np.random.default_rng(7).normal(size=np.shape(a)).astype(np.asarray(a).dtype)
    return a, *getattr(rung, f"{name}_backward")(da, **given, **options)


@every_cell
@every_way
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
def test_three_rungs(cell, lengths, return_sequences, reverse, initial):
    for in_features, out_features in ((2, 1), (3, 5)) + (((5, 33),) if sum(lengths) == 22 else ()):
        given = arguments(cell, lengths, in_features, out_features, initial)
        found = {name: both(rung, cell, given, return_sequences=return_sequences, reverse=reverse)
                 for name, rung in RUNGS.items() if name != "naive" or out_features < 33}
        for name, results in found.items():
            assert len(results) == len(found["compiled"])
            for one, other in zip(results, found["compiled"], strict=True):
                one = np.asarray(one, float).reshape(other.shape)
                np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12 * max(1, np.abs(one).max(initial=0)),
                                           err_msg=name)


@pytest.mark.parametrize("name", RUNGS)
@pytest.mark.parametrize("number", range(len(CASES)))
def test_numbers_are_those_of_pytorch(name, number):
    case = CASES[number]
    arrays = {key.partition(".")[2]: STORED[key] for key in STORED.files if key.startswith(f"{number}.")}
    given = {key: arrays[key] for key in ("x", "offsets", "weight", "recurrent_weight", "bias", "recurrent_bias", "initial")
             if key in arrays}
    options = {"return_sequences": True, "reverse": case["reverse"]}
    options |= {"activation": case["activation"]} if case["cell"] == "simple_rnn" else {}
    a, *gradients = both(RUNGS[name], case["cell"], given, arrays["da"], **options)
    np.testing.assert_allclose(a, arrays["a"], rtol=1e-11, atol=1e-12)
    expected = [key for key in given if key != "offsets"]
    assert len(expected) == len(gradients)
    for key, gradient in zip(expected, gradients, strict=True):
        np.testing.assert_allclose(gradient, arrays[f"d{key}"], rtol=1e-10, atol=1e-11, err_msg=key)


@every_cell
@every_way
def test_backward_is_the_derivative_of_forward(cell, return_sequences, reverse, initial):
    name, options = CELLS[cell][0], {"return_sequences": return_sequences, "reverse": reverse}
    given = arguments(cell, (2, 0, 3), 2, 3, initial)
    a, *gradients = both(compiled, cell, given, **options)
    da = np.random.default_rng(7).normal(size=a.shape)
    arrays = [array for key, array in given.items() if key != "offsets"]
    for array, gradient in zip(arrays, gradients, strict=True):
        numeric = central_differences(lambda: (da * getattr(compiled, f"{name}_forward")(**given, **options)).sum(), array)
        np.testing.assert_allclose(gradient, numeric, atol=1e-7 * max(np.abs(numeric).max(), 1e-3))


@every_cell
@every_way
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_neighbors_and_threads_change_no_bit(cell, dtype, return_sequences, reverse, initial, monkeypatch):
    monkeypatch.setattr(recurrent_calls, "FLOPS_PER_PART", 1)  # so that even this is cut into parts
    lengths = (3, 0, 7, 1, 4, 7, 12, 2, 2, 9, 5)
    given = arguments(cell, lengths, 5, 33, initial, dtype)
    options = {"return_sequences": return_sequences, "reverse": reverse}
    results = [both(compiled, cell, given, threads=threads, **options) for threads in (1, 2, 3, 8)]
    for other in results[1:]:
        assert [array.tobytes() for array in other] == [array.tobytes() for array in results[0]]
    a, offsets = results[0][0], given["offsets"]
    for i in range(len(lengths)):
        alone = given | {"x": given["x"][offsets[i]:offsets[i + 1]], "offsets": [0, lengths[i]]}
        alone |= {"initial": given["initial"][i:i + 1]} if initial else {}
        found = getattr(compiled, f"{CELLS[cell][0]}_forward")(**alone, **options)
        assert found.tobytes() == (a[offsets[i]:offsets[i + 1]] if return_sequences else a[i:i + 1]).tobytes()


@every_cell
def test_steps_one_by_one_are_the_whole(cell):
    """The last state, given as the first one, continues a sequence to the bit."""
    name, gates, _ = CELLS[cell]
    if gates == 4:
        pytest.skip("the cell of an LSTM is no output")
    given = arguments(cell, (6,), 3, 17, initial=True)
    whole = getattr(compiled, f"{name}_forward")(**given)
    state = given["initial"]
    for t in range(6):
        state = getattr(compiled, f"{name}_forward")(
            **given | {"x": given["x"][t:t + 1], "offsets": [0, 1], "initial": state})
    assert state.tobytes() == whole.tobytes()


@pytest.mark.parametrize("name", RUNGS)
def test_float32_stays_float32(name):
    given = arguments("gru", (2, 3), 2, 3, dtype="float32")
    if name != "naive":
        assert {array.dtype for array in both(RUNGS[name], "gru", given)} == {np.dtype("float32")}


@pytest.mark.parametrize("name", RUNGS)
@pytest.mark.parametrize(("cell", "wrong", "says"), [
    ("gru", {"x": np.ones(5)}, "x has shape|must be .steps, in_features"),
    ("gru", {"offsets": [0, 3, 2, 5]}, "sequence 1 has -1 steps"),
    ("gru", {"offsets": [0, 2]}, "it must begin with 0, end with 5, the number of steps"),
    ("gru", {"offsets": [1, 5]}, "it must begin with 0"),
    ("lstm", {"weight": np.ones((2, 9))}, r"weight has shape \(2, 9\)"),
    ("lstm", {"recurrent_weight": np.ones((3, 9))}, r"recurrent_weight has shape \(3, 9\)"),
    ("simple_rnn", {"bias": np.ones(2)}, r"bias has shape \(2,\); it must be \(3,\)"),
    ("gru", {"recurrent_bias": np.ones(3)}, r"recurrent_bias has shape \(3,\)"),
    ("lstm with peepholes", {"peepholes": np.ones(12)}, r"peepholes has shape \(12,\); it must be \(9,\)"),
    ("lstm", {"initial": np.ones((2, 3))}, r"initial has shape \(2, 3\); it must be \(2, 6\)"),
])
def test_what_does_not_fit_is_refused(name, cell, wrong, says):
    given = arguments(cell, (2, 3), 2, 3) | wrong
    with pytest.raises((ValueError, TypeError), match=says if "x" not in wrong or name != "naive" else None):
        getattr(RUNGS[name], f"{CELLS[cell][0]}_forward")(**given)


@pytest.mark.parametrize("name", RUNGS)
def test_a_gradient_that_does_not_fit_is_refused(name):
    given = arguments("gru", (2, 3), 2, 3)
    with pytest.raises(ValueError, match=r"da has shape \(5, 3\); it must be that of the outputs, \(2, 3\)"):
        RUNGS[name].gru_backward(np.ones((5, 3)), **given)
