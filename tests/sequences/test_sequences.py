"""`Sequences`, and the forms of X for a network of sequences of any length."""

import pickle

import numpy as np
import pytest

from fastnn import Dense, LastStep, Network, Sequences

rng = np.random.default_rng(0)
LENGTHS = [3, 1, 4, 2]
LIST = [rng.normal(size=(n, 2)) for n in LENGTHS]
WHOLE = Sequences(np.concatenate(LIST), np.cumsum([0, *LENGTHS]))


def net(inputs=(None, 2), **options):
    return Network([Dense(3, "tanh"), LastStep(), Dense(2, "softmax")], inputs=inputs, **options)


def test_it_is_a_sequence_of_arrays():
    assert len(WHOLE) == 4
    assert WHOLE.lengths.tolist() == LENGTHS
    assert all(np.array_equal(one, other) for one, other in zip(WHOLE, LIST, strict=True))
    assert np.array_equal(WHOLE[-1], LIST[-1])
    with pytest.raises(IndexError):
        WHOLE[4]


@pytest.mark.parametrize("which", [slice(1, 3), slice(None, None, -1), slice(5, 9), slice(3, 1), [2, 0, 2], [],
                                   np.array([True, False, False, True]), np.array([-1, 1])], ids=str)
def test_it_is_indexed_like_an_array(which):
    numbers = np.arange(4)[which if isinstance(which, slice) or len(which) else slice(0)]
    found = WHOLE[which]
    assert isinstance(found, Sequences)
    assert len(found) == len(numbers)
    assert all(np.array_equal(one, LIST[number]) for one, number in zip(found, numbers, strict=True))


def test_a_slice_copies_nothing():
    assert np.shares_memory(WHOLE[1:3].steps, WHOLE.values)
    assert np.array_equal(WHOLE[1:3].to_padded(), WHOLE.to_padded()[1:3])


def test_it_is_pickled():
    twin = pickle.loads(pickle.dumps(WHOLE))
    assert np.array_equal(twin.values, WHOLE.values)
    assert np.array_equal(twin.offsets, WHOLE.offsets)


def test_padded_arrays_go_there_and_back():
    padded = WHOLE.to_padded(-1)
    assert padded.shape == (4, 4, 2)
    assert (padded[1, 1:] == -1).all()
    mask = np.arange(4) < np.array(LENGTHS)[:, None]
    for back in (Sequences.from_padded(padded, LENGTHS), Sequences.from_padded(padded, mask=mask)):
        assert np.array_equal(back.values, WHOLE.values)
        assert np.array_equal(back.offsets, WHOLE.offsets)
    scattered = Sequences.from_padded(np.array([[1, 2, 3], [4, 5, 6]]), mask=np.array([[True, False, True], [False] * 3]))
    assert scattered[0].tolist() == [1, 3]
    assert len(scattered[1]) == 0


def test_it_says_what_it_is():
    assert repr(WHOLE) == "Sequences(4 of 1 to 4 steps, each (2,) float64)"
    assert repr(Sequences(np.zeros(3, np.int32), [0, 3])) == "Sequences(1 of 3 steps, each an int32)"
    assert repr(WHOLE[:0]) == "Sequences(none, each (2,) float64)"


@pytest.mark.parametrize(("given", "words"), [
    (lambda: Sequences(1.0, [0]), "values is 1.0"),
    (lambda: Sequences([1.0], [0.0, 1.0]), "must be whole numbers"),
    (lambda: Sequences([1.0], []), "must be whole numbers"),
    (lambda: Sequences([1.0, 2.0], [0, 2, 1]), "must not decrease"),
    (lambda: Sequences([1.0, 2.0], [0, 3]), "from 0 to 2"),
    (lambda: Sequences.from_padded(np.zeros((2, 3))), "either lengths or mask"),
    (lambda: Sequences.from_padded(np.zeros((2, 3)), [1]), "for each of the 2"),
    (lambda: Sequences.from_padded(np.zeros((2, 3)), [1, 4]), "from 0 to 3"),
    (lambda: Sequences.from_padded(np.zeros((2, 3)), mask=np.ones((2, 2), bool)), r"must be bool \(2, 3\)"),
    (lambda: Sequences.from_padded(np.zeros((2, 3)), mask=np.full((2, 3), 2.0)), "must be bool"),
])
def test_what_is_no_sequence_is_refused(given, words):
    with pytest.raises(ValueError, match=words):
        given()


@pytest.mark.parametrize(("lengths", "words"), [
    ([3, 1], "lengths add up to 4, and values has 9 steps"), ([5, 5], "lengths add up to 10"), ([], "lengths add up to 0"),
    ([4.5, 4.5], "a whole number of steps for each"), ([10, -1], "a whole number of steps for each"),
    (9, "a whole number of steps for each"),
])
def test_lengths_that_do_not_fit_are_refused(lengths, words):
    with pytest.raises(ValueError, match=words):
        Sequences.of_lengths(np.zeros(9), lengths)


def test_other_steps_are_as_many():
    with pytest.raises(ValueError, match="steps has 9 of them; the sequences have 5"):
        Sequences(np.zeros(9), [1, 3, 6]).with_steps(np.zeros(9))


def test_it_is_no_rectangular_array():
    with pytest.raises(TypeError, match="to_padded"):
        np.asarray(WHOLE)


def forms():
    """Yield X in each form."""
    yield "list", LIST
    yield "tuple of lists", tuple(one.tolist() for one in LIST)
    objects = np.empty(4, object)
    objects[:] = LIST
    yield "object array", objects
    yield "Sequences", WHOLE
    yield "float32", [one.astype(np.float32) for one in LIST]
    yield "part of more", Sequences(np.concatenate([np.full((2, 2), np.nan), WHOLE.values, np.full((1, 2), np.inf)]),
                                    WHOLE.offsets + 2)
    yield "not contiguous", [np.asfortranarray(one) for one in LIST]


@pytest.mark.parametrize(("form", "X"), [*forms()], ids=lambda value: value if isinstance(value, str) else "")
def test_every_form_gives_the_same(form, X):
    one = net()
    assert np.array_equal(one.forward(X), one.forward(LIST))


def test_columns_of_pandas_and_arrow_hold_lists():
    pandas, arrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    one = net()
    expected = one.forward(LIST)
    column = pandas.Series([each.tolist() for each in LIST], index=[5, 3, 8, 1])
    assert np.array_equal(one.forward(column), expected)
    steps = arrow.list_(arrow.list_(arrow.float64(), 2))
    array = arrow.array([each.tolist() for each in LIST], steps)
    assert np.array_equal(one.forward(array), expected)
    assert np.array_equal(one.forward(array[1:3]), expected[1:3])
    assert np.array_equal(one.forward(arrow.chunked_array([array[:1], array[1:]])), expected)
    with pytest.raises(ValueError, match=r"X\[1\] is missing"):
        one.forward(arrow.array([[[1.0, 2.0]], None], steps))
    single = net((None, 1), dtype="float64")
    values = arrow.array([[1.0, 2.0], [3.0]], arrow.list_(arrow.float64()))
    assert np.array_equal(single.forward(values), single.forward([[1.0, 2.0], [3.0]]))


def test_arrow_values_are_not_copied():
    arrow = pytest.importorskip("pyarrow")
    from fastnn.samples.series.ragged import sequences

    values = np.arange(6, dtype=np.float32)
    array = arrow.ListArray.from_arrays(arrow.array([0, 2, 6], arrow.int32()), arrow.array(values))
    assert np.shares_memory(sequences(array, (None, 1), "float32").values, array.values.to_numpy())


def test_sequences_of_one_length_are_an_array():
    one, X = net(), rng.normal(size=(3, 5, 2))
    assert np.array_equal(one.forward(X), one.forward([*X]))


def test_single_numbers_need_no_axis():
    one = net((None, 1))
    flat = [np.array([1.0, 2.0]), np.array([3.0])]
    assert np.array_equal(one.forward(flat), one.forward([each[:, None] for each in flat]))
    assert np.array_equal(one.forward([[1, 2], [3]]), one.forward(flat))
    assert np.array_equal(one.forward(np.ones((2, 3))), one.forward(np.ones((2, 3, 1))))
    assert np.array_equal(one.forward(Sequences([1.0, 2.0, 3.0], [0, 2, 3])), one.forward(flat))


class Wrapped:
    """An object that NumPy can convert to an array of ones, as tensors of other libraries are."""

    def __init__(self, shape):
        self.shape = shape

    def __array__(self, dtype=None, copy=None):
        return np.ones(self.shape, dtype)

    def __len__(self):
        return self.shape[0]

    def __repr__(self):  # names a test, the same in every process
        return f"Wrapped({self.shape})"


def test_whatever_numpy_converts_is_an_array_of_equal_lengths():
    one = net()
    assert np.array_equal(one.forward(Wrapped((3, 4, 2))), one.forward(np.ones((3, 4, 2))))


NAN = [LIST[0], np.array([[1.0, 2.0], [3.0, np.nan]])]


@pytest.mark.parametrize(("X", "words"), [
    ([LIST[0], np.ones((4, 3))], r"X\[1\] has shape \(4, 3\).* steps have 3 features, and this network takes 2"),
    ([np.ones((2, 3))], r"X\[0\]\.T|second axis"),
    ([np.ones(4)], r"X\[0\]\.reshape\(-1, 2\)"),
    ([np.ones(2)], r"for one step give X\[0\]\[None\]"),
    (np.ones((5, 2)), r"for one sequence give \[X\]"),
    (np.ones((5, 3, 4)), r"steps of shape \(4,\); this network takes steps of shape \(2,\)"),
    (np.ones((5, 2, 7)), r"the steps run along the last axis, give X\.transpose\(0, 2, 1\)"),
    ([np.ones((2, 7))], r"give X\[i\]\.T"),
    (Wrapped((5, 2, 7)), r"give np\.transpose\(X, \(0, 2, 1\)\)"),
    (np.ones((2, 3, 2, 2)), "this network takes sequences"),
    (NAN, r"X\[1\] holds nan at \(1, 1\), step 1"),
    ([LIST[0], None], r"X\[1\] is missing"),
    ([LIST[0], np.nan], r"X\[1\] is missing"),
    ([LIST[0], np.array([["a", "b"]])], r"X\[1\] has dtype <U1"),
    ([LIST[0], np.empty((0, 2))], r"X\[1\] is empty; this network takes sequences of 1 step at least"),
    ([LIST[0], []], r"X\[1\] is empty"),
    ([], "X has no samples"),
    ("text", "this network takes sequences"),
    ([[[1.0, 2.0], [3.0]]], r"X\[0\] is not a rectangular array"),
    ([np.ma.masked_array([[1.0, 2.0]], [[True, False]])], "masked"),
    (7, "this network takes sequences"),
], ids=str)
def test_what_does_not_fit_is_refused_with_a_repair(X, words):
    with pytest.raises(ValueError, match=words):
        net().fit(X, [0] * len(X) if hasattr(X, "__len__") else [0])


def test_data_frames_of_series_name_their_repair():
    """As sktime has them: a series in each cell, or a row for each step and two levels of the index."""
    pandas = pytest.importorskip("pandas")
    columns = [[pandas.Series(one[:, k]) for one in LIST] for k in range(2)]
    nested = pandas.DataFrame(dict(zip("ab", columns, strict=True)))
    flat = pandas.concat([pandas.DataFrame(one) for one in LIST], keys=range(len(LIST)))
    expected, y = net().forward(LIST), [0] * len(LIST)
    for X in (nested, flat):
        with pytest.raises(ValueError, match=r"data frame.*give (\[np\.stack|Sequences\.of_lengths)") as caught:
            net().fit(X, y)
        repaired = eval(str(caught.value).rpartition("give ")[2], {"np": np, "X": X, "Sequences": Sequences})
        assert np.array_equal(net().forward(repaired), expected)
    one_channel = Network([LastStep(), Dense(2)], inputs=(None, 1))
    with pytest.raises(ValueError, match=r"give \[np\.stack"):
        one_channel.predict(nested[["a"]])
    estimators = pytest.importorskip("fastnn.sklearn")
    with pytest.raises(ValueError, match=r"give \[np\.stack"):
        estimators.NetworkClassifier(layers=[LastStep(), Dense(2)], max_iter=2).fit(nested, y)


@pytest.mark.parametrize(("inputs", "words"), [
    ((3, None), "stands first"), ((None, 0), r"inputs\[1\]"), ((None, None), "stands first"), (None, "inputs is None"),
    ((), "empty shape"), ((None, "a"), r"inputs\[1\]"), ((None, 2.5), r"inputs\[1\]"),
])
def test_shapes_that_are_none_are_refused(inputs, words):
    with pytest.raises(ValueError, match=words):
        net(inputs)


def test_layers_that_need_one_size_say_so():
    from fastnn import Flatten

    with pytest.raises(ValueError, match=r"layers\[0\]: Flatten.* LastStep"):
        Network([Flatten(), Dense(2)], inputs=(None, 3))
    with pytest.raises(ValueError, match=r"inputs=\(None, features\)"):
        Network([LastStep(), Dense(2)], inputs=3)
    with pytest.raises(ValueError, match="Embedding"):
        Network([Dense(2), LastStep(), Dense(2)], inputs=(None,))
