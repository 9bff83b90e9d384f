"""Decoding of connectionist temporal classification, against sums over all paths."""

from collections import defaultdict
from itertools import groupby, product

import numpy as np
import pytest

from fastnn import Sequences
from fastnn.decoding import ctc_beam, ctc_greedy, label_error_rate

rng = np.random.default_rng(0)


def outputs_of(steps, classes, random=rng, sharpness=1.0):
    p = np.exp(sharpness * random.normal(size=(steps, classes)))
    return p / p.sum(axis=1, keepdims=True)


def all_labels(p):
    """Return {labels: probability}, summed over all paths."""
    found = defaultdict(float)
    for path in product(range(p.shape[1]), repeat=len(p)):
        found[tuple(label for label, _ in groupby(path) if label)] += np.prod(p[range(len(p)), path])
    return found


@pytest.mark.parametrize(("steps", "classes"), [(1, 2), (2, 2), (3, 3), (4, 4), (5, 3), (6, 3), (7, 2)])
def test_a_wide_beam_finds_all_labels_with_their_probabilities(steps, classes):
    for _ in range(4):
        p = outputs_of(steps, classes)
        expected, found = all_labels(p), ctc_beam([p], width=2000)[0]
        assert {tuple(labels) for labels, _ in found} == set(expected)
        for labels, log_probability in found:
            assert log_probability == pytest.approx(np.log(expected[tuple(labels)]), abs=1e-12)
        numbers = [number for _, number in found]
        assert numbers == sorted(numbers, reverse=True)


def naive_beam(p, width):
    """The same search over dicts of prefixes."""
    beam = {(): (1.0, 0.0)}
    for row in p:
        after = defaultdict(lambda: [0.0, 0.0])
        for prefix, (blank, label) in beam.items():
            after[prefix][0] += (blank + label) * row[0]
            if prefix:
                after[prefix][1] += label * row[prefix[-1]]
            for k in range(1, len(row)):
                after[(*prefix, k)][1] += (blank if prefix and prefix[-1] == k else blank + label) * row[k]
        beam = dict(sorted(after.items(), key=lambda item: -sum(item[1]))[:width])
    return [(prefix, np.log(sum(both))) for prefix, both in beam.items()]


@pytest.mark.parametrize("width", [1, 2, 3, 7])
def test_a_narrow_beam_is_that_of_plain_python(width):
    for seed in range(6):
        p = outputs_of(25, 6, np.random.default_rng(seed), 2.0)
        expected, found = naive_beam(p, width), ctc_beam([p], width=width)[0]
        assert [tuple(labels) for labels, _ in found] == [labels for labels, _ in expected]
        np.testing.assert_allclose([number for _, number in found], [number for _, number in expected], rtol=1e-12)


def test_the_likeliest_path_need_not_be_the_likeliest_labels():
    p = np.array([[0.6, 0.4], [0.6, 0.4]])
    assert list(ctc_greedy([p])[0]) == []
    assert ctc_beam([p])[0][0][0].tolist() == [1]


def test_probabilities_of_0_and_long_sequences():
    p = np.zeros((400, 3))
    p[::2, 1], p[1::2, 0] = 1, 1
    labels, number = ctc_beam([p], width=4)[0][0]
    assert labels.tolist() == [1] * 200
    assert number == pytest.approx(0, abs=1e-9)
    assert len(ctc_beam([p], width=4)[0]) == 1  # nothing else is possible
    p = outputs_of(3000, 8)
    assert np.isfinite(ctc_beam([p], width=5)[0][0][1])


def test_sequences_are_decoded_one_by_one():
    each = [outputs_of(n, 4) for n in (3, 0, 7, 1)]
    together = Sequences.of_lengths(np.concatenate(each), [3, 0, 7, 1])
    greedy = ctc_greedy(together)
    for i, one in enumerate(each):
        path = one.argmax(axis=1) if len(one) else []
        assert list(greedy[i]) == [label for label, _ in groupby(path) if label]
        (labels, number), *_ = ctc_beam(together)[i]
        (alone, same), *_ = ctc_beam([one] if len(one) else [np.empty((0, 4))])[0]
        assert labels.tolist() == alone.tolist()
        assert number == same
    assert np.array_equal(ctc_greedy(together[2:])[0], greedy[2])
    assert len(ctc_greedy([])) == len(ctc_beam([])) == 0
    assert ctc_beam(together[1:2])[0] == [] or ctc_beam(together[1:2])[0][0][1] == 0


@pytest.mark.parametrize(("given", "words"), [
    ([np.zeros((3, 4)) - 1], "probabilities"), ([np.full((3, 4), np.nan)], "probabilities"), ([np.ones((3, 1))], "blank"),
    ([np.ones(3)], "outputs"), ([np.zeros((3, 4)), np.zeros((3, 5))], r"outputs\[1\]"),
])
def test_what_is_no_output_is_refused(given, words):
    for decode in (ctc_greedy, ctc_beam):
        with pytest.raises(ValueError, match=words):
            decode(given)


def test_label_error_rate():
    for _ in range(50):
        one, other = rng.integers(3, size=rng.integers(1, 7)), rng.integers(3, size=rng.integers(7))
        assert label_error_rate([one], [other]) == edits([*one], [*other]) / len(one)
    assert label_error_rate([[]], [[]]) == 0
    assert label_error_rate([[], [1]], [[2, 2], [1]]) == 2
    with pytest.raises(ValueError, match="2 sequences and predicted 1"):
        label_error_rate([[1], [2]], [[1]])


def edits(one, other):
    if not one or not other:
        return len(one) + len(other)
    return min(edits(one[1:], other) + 1, edits(one, other[1:]) + 1, edits(one[1:], other[1:]) + (one[0] != other[0]))
