"""Attention over sequences of lengths about the widths of vectors and blocks: every number, and the bits of each alone."""

import numpy as np
import pytest

from fastnn import compiled, vectorized

LENGTHS = (1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 48, 49, 50, 63, 64, 65, 66, 80, 97, 130)
HEADS, FEATURES = 2, 5  # of a head


def given(dtype):
    rng, offsets = np.random.default_rng(0), np.cumsum((0, *LENGTHS))
    arrays = [rng.normal(size=(offsets[-1], HEADS * FEATURES)).astype(dtype) for _ in range(4)]
    return [array * size for array, size in zip(arrays, (1, 4, 1, 6), strict=True)], offsets  # some weights are nearly zero


@pytest.mark.parametrize(("dtype", "limit"), [("float64", 1e-13), ("float32", 2e-5)])
@pytest.mark.parametrize("causal", [False, True])
def test_all_numbers_of_all_lengths(dtype, limit, causal):
    (da, *arrays), offsets = given(dtype)
    exact = [each.astype("float64") for each in (da, *arrays)]
    options = {"heads": HEADS, "causal": causal}
    expected = [vectorized.attention_forward(*exact[1:], offsets, **options),
                *vectorized.attention_backward(*exact, offsets, **options)]
    found = [compiled.attention_forward(*arrays, offsets, **options),
             *compiled.attention_backward(da, *arrays, offsets, **options)]
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == dtype
        np.testing.assert_allclose(one, other, rtol=limit, atol=limit * np.abs(other).max())


@pytest.mark.parametrize("causal", [False, True])
def test_a_sequence_has_the_same_bits_alone(causal):
    (da, *arrays), offsets = given("float32")
    options = {"heads": HEADS, "causal": causal}
    together = [compiled.attention_forward(*arrays, offsets, **options),
                *compiled.attention_backward(da, *arrays, offsets, **options)]
    for i in range(len(LENGTHS)):
        own, end = slice(offsets[i], offsets[i + 1]), [0, LENGTHS[i]]
        alone = [compiled.attention_forward(*(each[own] for each in arrays), end, **options),
                 *compiled.attention_backward(da[own], *(each[own] for each in arrays), end, **options)]
        for one, other in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one, other[own])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_later_steps_change_no_bit_of_a_causal_mean(dtype):
    (_, *arrays), _ = given(dtype)
    arrays = [each[-LENGTHS[-1]:] for each in arrays]
    whole = compiled.attention_forward(*arrays, [0, LENGTHS[-1]], causal=True)
    for steps in LENGTHS:
        np.testing.assert_array_equal(
            compiled.attention_forward(*(each[:steps] for each in arrays), [0, steps], causal=True), whole[:steps])


def test_weights_far_below_the_largest_are_zero_and_none_is_not_a_number():
    query, keys = np.array([[1.0]], "float32"), np.array([[0.0], [-80.0], [-100.0], [-1e30], [-3e38]], "float32")
    identity = np.eye(5, dtype="float32")
    weights = compiled.attention_forward(query, keys, identity, [0, 1], [0, 5])[0]
    np.testing.assert_allclose(weights[:2], [1.0, np.exp(-80.0)], rtol=1e-5)
    np.testing.assert_array_equal(weights[2:], 0.0)
