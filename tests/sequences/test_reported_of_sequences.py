"""Faults that were reported of other libraries' recurrent layers, masks and CTC: each is a case of a test."""

import re
from pathlib import Path

import numpy as np
import pytest

from fastnn import (
    GRU,
    LSTM,
    Bidirectional,
    Concatenate,
    Dense,
    Input,
    Network,
    Sequences,
    SimpleRNN,
    Slice,
    check_gradients,
)

ROOT = Path(__file__).parents[2]
HERE, SEQUENCES, CTC = "tests/sequences/test_reported_of_sequences.py", "tests/sequences/", "tests/sequences/test_ctc.py"
CELLS, NETWORKS = "tests/layers/recurrence/test_cells.py", "tests/layers/recurrence/test_networks.py"
TO_ONNX = "tests/layers/recurrence/test_to_onnx.py"
# What was reported, and the test that has it as a case or whose law includes it.
REPORTS = {
    "pytorch#517, both directions over padding give wrong states": (
        HERE, "test_both_directions_over_padding_are_those_of_each_sequence_alone"),
    "keras#7695, states at masked steps on the way back": (HERE, "test_steps_that_a_mask_leaves_out_are_not_there"),
    "onnxruntime#12492, what stands behind the end": (HERE, "test_nothing_stands_behind_the_end"),
    "tensorflow#36139, a row that is masked as a whole crashes by its neighbors": (
        HERE, "test_a_sequence_without_steps_has_no_neighbors"),
    "tensorflow#45035, a mask of the wrong length is taken": (
        SEQUENCES + "test_sequences.py", "test_lengths_that_do_not_fit_are_refused"),
    "pytorch#11514, #80605, length zero is refused": (HERE, "test_a_sequence_without_steps_has_no_neighbors"),
    "onnxruntime PR#28052, length zero reads before the buffer": (CELLS, "test_three_rungs"),
    "onnx-tensorflow#342, reverse and bidirectional disagree under lengths": (
        HERE, "test_both_directions_are_the_two_layers_side_by_side"),
    "onnxruntime#4187, the order of outputs going backwards": (HERE, "test_backwards_is_forwards_over_the_reversed_steps"),
    "mxnet#19323, lengths are wrong in both directions": (
        HERE, "test_both_directions_over_padding_are_those_of_each_sequence_alone"),
    "onnxscript#2852, a GRU is exported without linear_before_reset": (
        HERE, "test_a_file_says_where_the_reset_gate_multiplies"),
    "onnxruntime PR#3893, no bias, reset before, three samples": (TO_ONNX, "test_a_case_of_onnx"),
    "keras#14155, #6579, trained stateless, predicted stateful": (
        SEQUENCES + "test_streams.py", "test_steps_are_the_whole_to_the_bit"),
    "keras#8317, #9417, states are not reset": (HERE, "test_no_call_leaves_a_state_for_the_next"),
    "keras#8823, the last states of both directions begin another layer": (
        HERE, "test_the_last_states_of_both_directions_begin_another_layer"),
    "pytorch#18215, CTC with an empty target": (CTC, "test_pytorch_agrees"),
    "returnn#1835, a gradient of CTC does not sum to 0 where no path reads as the labels": (
        CTC, "test_the_gradient_is_that_of_differences_and_sums_to_0"),
    "returnn#1835, labels that do not fit into the steps": (CTC, "test_targets_that_do_not_fit_are_refused"),
    "keras#10350, accuracy counts the padding": (HERE, "test_metrics_do_not_count_padding"),
    "wtte-rnn#50, a mask that is multiplied onto NaN": (
        HERE, "test_both_directions_over_padding_are_those_of_each_sequence_alone"),
}
rng = np.random.default_rng(0)
LENGTHS = np.array([4, 0, 9, 1, 6, 9, 2])
X = [rng.normal(size=(n, 3)).astype("float32") for n in LENGTHS]
every_cell = pytest.mark.parametrize("cell", [SimpleRNN, GRU, LSTM])


@pytest.mark.parametrize("report", REPORTS)
def test_each_report_has_a_test(report):
    path, name = REPORTS[report]
    assert re.search(rf"def {name}\b", (ROOT / path).read_text(encoding="utf-8"))


def padded(fill):
    """Return the sequences as a padded array, with something else than numbers behind their ends."""
    array = np.full((len(X), LENGTHS.max(), 3), fill, "float32")
    for row, one in zip(array, X, strict=True):
        row[:len(one)] = one
    return array


@every_cell
@pytest.mark.parametrize("fill", [np.nan, np.inf, 1e30])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_both_directions_over_padding_are_those_of_each_sequence_alone(cell, fill, return_sequences):
    net = Network([Bidirectional(cell(5, return_sequences=return_sequences)), Dense(2)], inputs=(None, 3), seed=1)
    found = net.forward(Sequences.from_padded(padded(fill), LENGTHS))
    masked = net.forward(Sequences.from_padded(padded(fill), mask=np.arange(LENGTHS.max()) < LENGTHS[:, None]))
    for i, one in enumerate(X):
        alone = net.forward([one])[0]
        assert np.array_equal(found[i], alone)
        assert np.array_equal(masked[i], alone)
        assert np.isfinite(alone).all()


@every_cell
def test_steps_that_a_mask_leaves_out_are_not_there(cell):
    """Masked steps in the midst of a sequence pass its state on, in either direction, and have no outputs."""
    array, mask = rng.normal(size=(6, 8, 3)).astype("float32"), rng.random((6, 8)) < 0.6
    mask[2] = False
    for reverse in (False, True):
        net = Network([cell(4, return_sequences=True, reverse=reverse)], inputs=(None, 3), seed=1)
        found = net.forward(Sequences.from_padded(array, mask=mask))
        for own, steps, kept in zip(found, array, mask, strict=True):
            assert np.array_equal(own, net.forward([steps[kept]])[0])
            assert len(own) == kept.sum()


def test_nothing_stands_behind_the_end():
    net = Network([GRU(4, return_sequences=True)], inputs=(None, 3), seed=1)
    outputs = net.forward(X)
    assert outputs.lengths.tolist() == LENGTHS.tolist()
    assert np.isnan(outputs.to_padded(np.nan)).sum() == 4 * (len(X) * LENGTHS.max() - LENGTHS.sum())


@every_cell
def test_a_sequence_without_steps_has_no_neighbors(cell):
    """It has the state before the first step; others, and the gradient, are as without it."""
    labels, some = np.arange(7) % 2, [i for i in range(7) if LENGTHS[i]]
    net = Network([cell(4), Dense(2, "softmax")], inputs=(None, 3), seed=1, dtype="float64")
    together = net.forward(X)
    assert np.array_equal(together[some], net.forward([X[i] for i in some]))
    assert np.array_equal(net.forward([np.zeros((0, 3))] * 3), np.repeat(together[1:2], 3, axis=0))
    weights = np.where(LENGTHS > 0, 1.0, 0.0)
    loss, gradients = net.loss_and_gradients(X, labels, sample_weight=weights)
    other, expected = net.loss_and_gradients([X[i] for i in some], labels[some])
    assert loss == pytest.approx(other, rel=1e-14)
    for name, gradient in expected.items():
        np.testing.assert_allclose(gradients[name], gradient, rtol=1e-12, atol=1e-15)
    net.fit([np.zeros((0, 3))] * 3, [0, 1, 1], epochs=2)
    assert np.isfinite(net.vectors.parameters.flat).all()


@every_cell
@pytest.mark.parametrize("return_sequences", [False, True])
def test_both_directions_are_the_two_layers_side_by_side(cell, return_sequences):
    both = Network([Bidirectional(cell(4, return_sequences=return_sequences))], inputs=(None, 3), seed=1)
    outputs = both.forward(X)
    for number, reverse in enumerate((False, True)):
        one = Network([cell(4, return_sequences=return_sequences, reverse=reverse)], inputs=(None, 3))
        for name, array in one.parameters.items():
            array[...] = both.parameters[f"{number}.{name.partition('.')[2]}"]
        for found, expected in zip(outputs, one.forward(X), strict=True):
            assert np.array_equal(found[..., 4 * number:4 * number + 4], expected)


@every_cell
def test_backwards_is_forwards_over_the_reversed_steps(cell):
    """Outputs stand at the steps that they belong to."""
    backwards, forwards = (Network([cell(4, return_sequences=True, reverse=reverse)], inputs=(None, 3), seed=1)
                           for reverse in (True, False))
    for found, expected in zip(backwards.forward(X), forwards.forward([one[::-1] for one in X]), strict=True):
        assert np.array_equal(found, expected[::-1])


@pytest.mark.parametrize("reset_after", [False, True])
def test_a_file_says_where_the_reset_gate_multiplies(reset_after, tmp_path):
    onnx = pytest.importorskip("onnx", reason='ONNX needs the extra: pip install "fastnn-numba[onnx]"')
    Network([GRU(4, reset_after=reset_after)], inputs=(5, 3)).to_onnx(tmp_path / "net.onnx")
    node, = (node for node in onnx.load(tmp_path / "net.onnx").graph.node if node.op_type == "GRU")
    found = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    assert found["linear_before_reset"] == reset_after


def test_no_call_leaves_a_state_for_the_next():
    """Prediction begins each sequence anew, whatever came before: other predictions, streams, fits by windows."""
    net = Network([GRU(4, return_sequences=True), Dense(2, "softmax")], inputs=(None, 3), seed=1)
    labels = [np.zeros(n, int) for n in LENGTHS]
    net.fit(X, labels, backprop_steps=2)
    fresh = Network.from_config(net.config())
    for name, array in fresh.parameters.items():
        array[...] = net.parameters[name]
    stream = net.stream()
    stream.steps(X[2])
    for _ in range(2):
        assert np.array_equal(net.forward(X).steps, fresh.forward(X).steps)
    stream.reset()
    assert np.array_equal(stream.steps(X[2]), fresh.forward(X[2:3])[0])


@pytest.mark.parametrize("cell", [GRU, LSTM])
def test_the_last_states_of_both_directions_begin_another_layer(cell):
    x, options = Input((None, 3), name="x"), {"return_cells": True} if cell is LSTM else {}
    ways = [cell(3, reverse=reverse, **options)(x) for reverse in (False, True)]
    if cell is LSTM:
        states = [Concatenate()(*(Slice(3 * k, 3 * k + 3)(way) for way in ways)) for k in range(2)]
    else:
        states = Concatenate()(*ways)
    net = Network(inputs=x, outputs=Dense(2, "softmax")(cell(6)(x, initial_state=states)), dtype="float64", seed=1)
    assert check_gradients(net, X, np.arange(7) % 2).max_relative_error < 1e-7
    found = net.forward(X)
    for i, one in enumerate(X):
        assert np.array_equal(found[i:i + 1], net.forward([one]))


def test_metrics_do_not_count_padding():
    """Half of the steps have the label that is predicted; padding, which has it too, must not count."""
    net = Network([Dense(2, "softmax")], inputs=(None, 1))
    net.parameters["0.weight"][:], net.parameters["0.bias"][:] = 0, [1, 0]
    lengths = [4, 6, 10]
    labels = [np.arange(n) % 2 for n in lengths]
    given = Sequences.from_padded(np.zeros((3, 10, 1)), lengths)
    assert net.evaluate(given, labels)["accuracy"] == 0.5
    marked = np.full((3, 10), -1)
    for row, own in zip(marked, labels, strict=True):
        row[:len(own)] = own
    assert net.evaluate(np.zeros((3, 10, 1)), marked)["accuracy"] == 0.5
