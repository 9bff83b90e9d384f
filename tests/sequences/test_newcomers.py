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


def test_text_labels_at_steps():
    y = [["b" if x > 0 else "a" for x in one[:, 0]] for one in X]
    numbers = [[int(label == "b") for label in own] for own in y]
    nets = [steps_network(Dense(2, "softmax")) for _ in range(2)]
    nets[0].fit(X, y, epochs=2, validation_data=(X, y), class_weight={"a": 2.0})
    nets[1].fit(X, numbers, epochs=2, class_weight={0: 2.0})
    assert np.array_equal(nets[0].forward(X).steps, nets[1].forward(X).steps)
    assert nets[0].class_names == ("a", "b")
    predicted, same = nets[0].predict(X), nets[1].predict(X)
    assert predicted.lengths.tolist() == LENGTHS.tolist()
    assert predicted.steps.tolist() == ["ab"[label] for label in same.steps]
    assert nets[0].evaluate(X, y) == nets[1].evaluate(X, numbers)
    assert nets[0].evaluate(X, [np.array(own) for own in y]) == nets[0].evaluate(X, Sequences(y))


def test_text_labels_at_steps_that_do_not_count():
    y = [["a", None, "b"], ["b"], [None, "a", "a", "b"]]
    numbers = [[0, -1, 1], [1], [-1, 0, 0, 1]]
    net = steps_network(Dense(2, "softmax"))
    net.fit(X, y)
    assert net.evaluate(X, y) == net.evaluate(X, numbers)
    with pytest.raises(ValueError, match="y holds the label 'c'"):
        net.evaluate(X, [["a", "c", "b"], ["b"], ["a"] * 4])


def test_windows_of_several_series():
    series = [np.arange(6.0), 10 + np.arange(5.0)]
    windows, ahead = fastnn.windows(series, 3, ahead=1)
    assert [window[0] for window in windows] == [0, 1, 2, 10, 11]
    assert ahead[:, 0].tolist() == [3, 4, 5, 13, 14]
    assert len(fastnn.windows(series, 3)) == 7
    _, others = fastnn.windows(series, 3, ahead=1, targets=[-series[0], -series[1]])
    assert others.tolist() == (-ahead).tolist()
    with pytest.raises(ValueError, match=r"series\[1\]: series has 5 steps"):
        fastnn.windows(series, 6)
    with pytest.raises(ValueError, match="targets has 1 series"):
        fastnn.windows(series, 3, ahead=1, targets=series[:1])


def test_a_confusion_matrix_of_steps_says_what_to_draw():
    pytest.importorskip("matplotlib")
    pytest.importorskip("sklearn")
    with pytest.raises(ValueError, match="outputs at each step"):
        fastnn.plot.confusion_matrix(steps_network(Dense(2, "softmax")), X, [np.zeros(n, int) for n in LENGTHS])
