"""What newcomers to sequences try first: it works, or the error says what to write."""

import warnings

import numpy as np
import pytest

import fastnn
from fastnn import GRU, LSTM, Bidirectional, Conv2D, Dense, Dropout, Embedding, Network, Sequences

rng = np.random.default_rng(0)
LENGTHS = np.array([3, 1, 4])
X = [rng.normal(size=(n, 2)) for n in LENGTHS]


def steps_network(last):
    return Network([GRU(3, return_sequences=True), last], inputs=(None, 2))


def test_sequences_of_a_list_of_arrays():
    made = Sequences(X)
    assert made.lengths.tolist() == LENGTHS.tolist()
    assert np.array_equal(made.steps, np.concatenate(X))
    assert Sequences([[5, 2], [], [7]]).lengths.tolist() == [2, 0, 1]
    pandas = pytest.importorskip("pandas")
    assert np.array_equal(Sequences(pandas.Series(X)).steps, made.steps)


@pytest.mark.parametrize(("values", "message"), [
    ([1, 2], r"values\[0\] is 1; without offsets"), ([], "values is an empty list"), (np.zeros((2, 3, 4)), "from_padded"),
    ([np.zeros((2, 3)), np.zeros((2, 4))], r"steps of the shapes \(3,\) and \(4,\)"),
])
def test_lists_that_are_no_sequences(values, message):
    with pytest.raises(ValueError, match=message):
        Sequences(values)


@pytest.mark.parametrize("kind", [bool, int, float])
def test_masks_may_hold_numbers(kind):
    padded = Sequences(X).to_padded()
    mask = (np.arange(4) < LENGTHS[:, None]).astype(kind)
    assert np.array_equal(Sequences.from_padded(padded, mask=mask).steps, np.concatenate(X))
    with pytest.raises(ValueError, match="give it by name"):
        Sequences.from_padded(padded, mask)
    with pytest.raises(ValueError, match="mask has shape"):
        Sequences.from_padded(padded, mask=mask * 2.5)


def test_few_sequences_that_end_with_one_token_twice_are_not_padded():
    net = Network([Embedding(9, 2), GRU(2)], inputs=(None,))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.forward([[1, 5, 3, 2, 2], [4, 7, 1, 8, 0]])
    with pytest.warns(UserWarning, match="looks padded"):
        net.forward([[1, 5, 0, 0, 0], [4, 7, 1, 0, 0], [1, 2, 3, 4, 5]])


def test_targets_of_all_steps_in_a_row():
    with pytest.raises(ValueError, match=r"8 targets in a row.*Sequences.of_lengths\(y, lengths\)"):
        steps_network(Dense(2, "softmax")).fit(X, rng.integers(2, size=8))


def test_steps_without_a_target():
    y = [rng.normal(size=n) for n in LENGTHS]
    y[2][1] = np.nan
    with pytest.raises(ValueError, match=r"y\[2\] holds nan; where a step has no target, .* weight 0"):
        steps_network(Dense(1)).fit(X, y)


CALLS = {
    "units of the inputs first": (lambda: LSTM(2, 3), "takes out_features without a name, .* works out the number"),
    "an activation of a cell": (lambda: GRU(4, activation="relu"), "SimpleRNN has a nonlinearity"),
    "of the outer layer": (lambda: Bidirectional(GRU(4), return_sequences=True), r"Bidirectional\(GRU\(64, return_seq"),
    "masks": (lambda: Embedding(9, 2, mask_zero=True), "have no padding"),
    "stateful": (lambda: GRU(4, stateful=True), "backprop_steps"),
    "options of windows": (lambda: Conv2D(3, 3, "relu", 2), "give others by name: stride"),
    "more than all": (lambda: Dropout(0.5, True, 3), r"takes rate, channels without a name"),
}


@pytest.mark.parametrize("name", CALLS)
def test_arguments_of_other_libraries(name):
    call, message = CALLS[name]
    with pytest.raises(TypeError, match=message):
        call()


def test_names_of_other_libraries():
    assert repr(Bidirectional(GRU(3), merge_mode="sum")) == "Bidirectional(GRU(3), 'sum')"
    for name in ("Masking", "pad_sequences", "pack_padded_sequence"):
        with pytest.raises(AttributeError, match="need no padding"):
            getattr(fastnn, name)


def test_targets_at_steps_of_an_estimator():
    pytest.importorskip("sklearn")
    from fastnn.sklearn import NetworkClassifier

    with pytest.raises(ValueError, match="an estimator has one for each sequence"):
        NetworkClassifier(layers=[GRU(3)]).fit(X, [rng.integers(2, size=n) for n in LENGTHS])
