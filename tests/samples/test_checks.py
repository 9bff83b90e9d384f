"""Invalid arguments are refused with an error that names the argument and the repair; unusual but valid ones work."""

import math
from functools import partial

import numpy as np
import pytest

from fastnn import Adam, Callback, Dense, Network, activations, losses
from fastnn.kernels.activations import Activation

rng = np.random.default_rng(0)
X, LABELS = rng.normal(size=(12, 4)), rng.integers(3, size=12)


def classifier(dtype="float32"):
    return Network([Dense(5, "tanh"), Dense(3, "softmax")], inputs=4, dtype=dtype)


def yes_no():
    return Network([Dense(1, "sigmoid")], inputs=4)


def several_yes_no():
    return Network([Dense(3, "sigmoid")], inputs=4)


def regressor(outputs=1):
    return Network([Dense(outputs)], inputs=4)


def changed(array, value, place=(3,)):
    """Return a copy of `array` with one element changed."""
    array = np.array(array, np.result_type(np.asarray(array), type(value)))
    array[place] = value
    return array


def objects(values):
    array = np.empty(np.shape(values), object)
    array[...] = values
    return array


# In each: a replacement for X, and the texts of the error. The first is the name, the last the repair.
BAD_X = {
    "nan": (changed(X, math.nan, (3, 2)), "X holds nan at (3, 2)", "drop or fill"),
    "inf": (changed(X, math.inf, (11, 0)), "X holds inf at (11, 0)", "drop or fill"),
    "-inf": (changed(X, -math.inf, (0, 0)), "X holds -inf", "drop or fill"),
    "too large for float32": (changed(X, 1e39, (3, 2)), "X holds inf at (3, 2)", "scale values"),
    "none among numbers": (objects([*X.tolist()[:-1], [None, 1, 2, 3]]), "X holds nan at (11, 0)", "drop or fill"),
    "complex": (X + 0j, "X has dtype complex128", "real numbers"),
    "text": (X.astype(str), "X has dtype <U", "encode text"),
    "text in objects": (objects(X.astype(str).tolist()), "X has dtype object", "encode text"),
    "dates": (X.astype("datetime64[s]"), "X has dtype datetime64", "real numbers"),
    "durations": (X.astype("timedelta64[s]"), "X has dtype timedelta64", "real numbers"),
    "objects": (objects([[{}] * 4] * 12), "X has dtype object", "real numbers"),
    "records": (np.zeros((12, 4), [("a", float)]), "X has dtype [('a', '<f8')]", "real numbers"),
    "none": (None, "X has shape ()", "(samples, 4)"),
    "a number": (3.0, "X has shape ()", "(samples, 4)"),
    "one sample": (X[0], "X has shape (4,)", "X[None, :]"),
    "a column of numbers": (X[:, 0], "X has shape (12,)", "(samples, 4)"),
    "3 axes": (X[None], "X has shape (1, 12, 4)", "(samples, 4)"),
    "too wide": (np.hstack([X, X]), "X has 8 features", "takes 4"),
    "too narrow": (X[:, :3], "X has 3 features", "takes 4"),
    "transposed": (X[:4].T[:, :3], "X has 3 features", "takes 4"),
    "no features": (X[:, :0], "X has 0 features", "takes 4"),
    "ragged": ([[1, 2, 3, 4], [1, 2]] * 6, "X is not a rectangular array", "equal length"),
    "masked": (np.ma.masked_array(X, X > 1), "X is a masked array", "X.filled"),
    "a dict": ({"a": X}, "X is a dict with 'a', which is no input of this network", "give a dict with 'input'"),
}
BAD_LABELS = {
    "out of range": (changed(LABELS, 3), "y holds label 3", "from 0 to 2"),
    "negative": (changed(LABELS, -1), "y holds label -1", "from 0 to 2"),
    "huge": (changed(LABELS.astype(np.uint64), np.uint64(2**64 - 1)), "y holds label 18446744073709551615", "from 0 to 2"),
    "not whole": (changed(LABELS, 0.5), "y holds float64 values that are not whole", "integers from 0 to 2"),
    "nan": (changed(LABELS, math.nan), "y holds nan at (3,)", "drop or fill"),
    "inf": (changed(LABELS, math.inf), "y holds inf at (3,)", "drop or fill"),
    "complex": (LABELS + 0j, "y holds complex128 values", "integers from 0 to 2"),
    "too few": (LABELS[:-1], "y has 11 rows", "12 rows"),
    "too many": (np.tile(LABELS, 2), "y has 24 rows", "12 rows"),
    "none": (None, "y has no axis (it is array(None", "12 rows"),
    "a label": (1, "y has no axis (it is array(1))", "12 rows"),
    "ragged": ([[1, 0, 0]] * 11 + [[1]], "y is not a rectangular array", "equal length"),
    "masked": (np.ma.masked_array(LABELS, LABELS == 1), "y is a masked array", "y.filled"),
    "one-hot of 2": (np.eye(2)[LABELS % 2], "y has shape (12, 2)", "(12, 3)"),
    "one-hot of 4": (np.eye(4)[LABELS], "y has shape (12, 4)", "(12,) integer labels from 0 to 2 or (12, 3)"),
    "3 axes": (np.eye(3)[LABELS][:, :, None], "y has shape (12, 3, 1)", "(12, 3)"),
    "above 1": (2.0 * np.eye(3)[LABELS], "y ranges from 0.0 to 2.0", "from 0 to 1"),
    "below 0": (np.eye(3)[LABELS] - 0.5, "y ranges from -0.5 to 0.5", "from 0 to 1"),
    "two hot": (1.0 - np.eye(3)[LABELS], "y sums to 2 in row 0", "must sum to 1"),
    "none hot": (changed(np.eye(3)[LABELS], 0.0), "y sums to 0 in row 3", "must sum to 1"),
    "probabilities with nan": (changed(np.eye(3)[LABELS], math.nan), "y holds nan at (3, 0)", "drop or fill"),
}
BAD_BITS = {
    "labels 1 and 2": (LABELS % 2 + 1, "y ranges from 1.0 to 2.0", "from 0 to 1"),
    "labels -1 and 1": (LABELS % 2 * 2 - 1, "y ranges from -1.0 to 1.0", "from 0 to 1"),
    "two columns": (np.eye(2)[LABELS % 2], "y has shape (12, 2)", "(12,) or (12, 1)"),
    "text": (["yes"] * 12, "y holds 'yes'", "class_names"),
    "nan": ([math.nan] * 12, "y holds nan at (0, 0)", "drop or fill"),
}
BAD_WEIGHTS = {
    "nan": (changed(np.ones(12), math.nan), "sample_weight holds nan at (3,)", "drop or fill"),
    "inf": (changed(np.ones(12), math.inf), "sample_weight holds inf at (3,)", "drop or fill"),
    "negative": (changed(np.ones(12), -1.0), "sample_weight must not be negative", "about 1"),
    "all zero": (np.zeros(12), "sample_weight must not be negative anywhere, nor add up to zero", "about 1"),
    "too small for float32": (np.full(12, 1e-60), "sample_weight must not be", "about 1"),
    "too few": (np.ones(11), "sample_weight has shape (11,)", "(12,)"),
    "a column": (np.ones((12, 1)), "sample_weight has shape (12, 1)", "(12,)"),
    "a number": (2.0, "sample_weight has shape ()", "(12,)"),
    "text": (["1"] * 12, "sample_weight has dtype <U1", "real numbers"),
}
# In each: keyword arguments of fit, and the texts of the error.
BAD_OPTIONS = {
    "no weight but zero left": ({"class_weight": {0: 0, 1: 0, 2: 0}}, "class_weight must not be negative", "about 1"),
    "negative class weight": ({"class_weight": {1: -1.0}}, "class_weight[1] is -1.0", "zero or more"),
    "nan class weight": ({"class_weight": {1: math.nan}}, "class_weight[1] is nan", "finite"),
    "text class weight": ({"class_weight": {1: "2"}}, "class_weight[1] is '2'", "number"),
    "unknown class": ({"class_weight": {3: 1.0}}, "class_weight names class 3", "0 to 2"),
    "unknown class weight": ({"class_weight": "even"}, "class_weight is 'even'", "'balanced'"),
    "list of class weights": ({"class_weight": [1, 2, 3]}, "class_weight is [1, 2, 3]", "dict"),
    "epochs below 0": ({"epochs": -1}, "epochs is -1", "at least 0"),
    "half an epoch": ({"epochs": 1.5}, "epochs is 1.5", "whole number"),
    "text for epochs": ({"epochs": "5"}, "epochs is '5'", "whole number"),
    "True epochs": ({"epochs": True}, "epochs is True", "whole number"),
    "batch of none": ({"batch_size": 0}, "batch_size is 0", "at least 1"),
    "float batch": ({"batch_size": 32.0}, "batch_size is 32.0", "whole number"),
    "None batch": ({"batch_size": None}, "batch_size is None", "whole number"),
    "no threads": ({"threads": 0}, "threads is 0", "at least 1"),
    "text threads": ({"threads": "all"}, "threads is 'all'", "whole number"),
    "text shuffle": ({"shuffle": "no"}, "shuffle is 'no'", "True or False"),
    "text resume": ({"resume": "yes"}, "resume is 'yes'", "True or False"),
    "text progress": ({"progress": "yes"}, "progress is 'yes'", "True or False"),
    "unknown optimizer": ({"optimizer": "adamm"}, "unknown optimizer 'adamm'", "adam, adamw"),
    "optimizer class": ({"optimizer": Adam}, "optimizer is the class Adam", "Adam()"),
    "rate for optimizer": ({"optimizer": 0.1}, "optimizer is 0.1", "Adam(learning_rate"),
    "callback alone": ({"callbacks": Callback()}, "callbacks is a single Callback", "list of Callback"),
    "None callbacks": ({"callbacks": None}, "callbacks is None", "list of Callback"),
    "callback class": ({"callbacks": [Callback]}, "callbacks[0] is the class Callback", "Callback(...)"),
    "validation X alone": ({"validation_data": X}, "validation_data", "tuple (X, y)"),
    "validation 1-tuple": ({"validation_data": (X,)}, "validation_data", "tuple (X, y)"),
    "validation 4-tuple": ({"validation_data": (X, LABELS, None, None)}, "validation_data", "tuple (X, y)"),
    "validation X": ({"validation_data": (X[:, :3], LABELS)}, "validation_data: X has 3 features", "takes 4"),
    "validation y": ({"validation_data": (X, LABELS + 1)}, "validation_data: y holds label 3", "from 0 to 2"),
    "validation weights": ({"validation_data": (X, LABELS, -np.ones(12))}, "validation_data: sample_weight", "about 1"),
    "empty validation": ({"validation_data": (X[:0], LABELS[:0])}, "validation_data: X has no samples", "at least 1"),
}
UNREGISTERED = Activation("mine", "", "", value=lambda z: z, prime=lambda z, a: 1.0)
BAD_NETWORKS = {
    "no layers": (lambda: Network([], 4), "layers is empty", "[Dense(1)]"),
    "None layers": (lambda: Network(None, 4), "layers is missing", "[Dense(1)]"),
    "sizes for layers": (lambda: Network([64, 3], 4), "layers[0] is 64", "Dense(64, 'relu')"),
    "layer class": (lambda: Network([Dense(2), Dense], 4), "layers[1] is the class Dense", "Dense(...)"),
    "no inputs": (lambda: Network([Dense(2)], 0), "inputs is 0", "at least 1"),
    "float inputs": (lambda: Network([Dense(2)], 4.0), "inputs is 4.0", "whole number"),
    "None inputs": (lambda: Network([Dense(2)], None), "inputs is None", "number of features"),
    "True inputs": (lambda: Network([Dense(2)], True), "inputs is True", "whole number"),
    "half precision": (lambda: Network([Dense(2)], 4, dtype="float16"), "dtype is 'float16'", "'float32' or 'float64'"),
    "integers": (lambda: Network([Dense(2)], 4, dtype=int), "dtype is <class 'int'>", "'float32' or 'float64'"),
    "None dtype": (lambda: Network([Dense(2)], 4, dtype=None), "dtype is None", "'float32' or 'float64'"),
    "strange dtype": (lambda: Network([Dense(2)], 4, dtype=[7]), "dtype is [7]", "'float32' or 'float64'"),
    "negative seed": (lambda: Network([Dense(2)], 4, seed=-1), "seed is -1", "at least 0"),
    "text seed": (lambda: Network([Dense(2)], 4, seed="x"), "seed is 'x'", "whole number"),
    "unknown loss": (lambda: Network([Dense(2)], 4, loss="msle"), "unknown loss 'msle'", "squared_error"),
    "list for loss": (lambda: Network([Dense(2)], 4, loss=["huber"]), "loss is ['huber']", "give the name of the loss"),
    "loss on logits": (lambda: Network([Dense(2)], 4, loss=losses["cross_entropy"].on_logits["softmax"]),
                       "loss 'softmax_cross_entropy' is not registered", "register_loss"),
    "softmax of one": (lambda: Network([Dense(1, "softmax")], 4), "softmax over one output", "Dense(1, 'sigmoid')"),
    "classes of one": (lambda: Network([Dense(1, "sigmoid")], 4, loss="cross_entropy"),
                       "loss 'cross_entropy' takes one output for each class", "'binary_cross_entropy'"),
    "logits": (lambda: Network([Dense(3)], 4, loss="cross_entropy"),
               "loss 'cross_entropy' takes outputs from 0 to 1; after 'identity' they can be -3", "'softmax' or 'sigmoid'"),
    "tanh for bits": (lambda: Network([Dense(1, "tanh")], 4, loss="binary_cross_entropy"),
                      "loss 'binary_cross_entropy' takes outputs from 0 to 1", "'softmax' or 'sigmoid'"),
    "layer of none": (lambda: Dense(0), "Dense(out_features=...) is 0", "at least 1"),
    "layer of text": (lambda: Dense("relu"), "Dense(out_features=...) is 'relu'", "whole number"),
    "unknown activation": (lambda: Dense(2, "rellu"), "unknown activation 'rellu'", "relu, "),
    "number for the activation": (lambda: Dense(2, 3), "unknown activation 3", "works out the number of its inputs"),
    "unregistered activation": (lambda: Dense(2, UNREGISTERED), "activation 'mine' is not registered",
                                "register_activation"),
    "unknown initializer": (lambda: Dense(2, initializer="he"), "unknown initializer 'he'", "he_normal"),
    "negative rate": (lambda: Adam(learning_rate=-1), "Adam(learning_rate=...) is -1", "positive"),
    "nan rate": (lambda: Adam(learning_rate=math.nan), "Adam(learning_rate=...) is nan", "positive"),
    "beta of one": (lambda: Adam(beta1=1.0), "Adam(beta1=...) is 1.0", "from 0 up to"),
    "class weight of a regressor": (lambda: regressor().fit(X, X[:, 0], class_weight="balanced"),
                                    "class_weight is for samples of one class each", "sample_weight"),
    "class weight of several yes or no": (lambda: several_yes_no().fit(X, np.eye(3)[LABELS], class_weight="balanced"),
                                          "class_weight is for samples of one class each", "sample_weight"),
    "labels for several yes or no": (lambda: several_yes_no().fit(X, LABELS), "y has shape (12,)", "(12, 3)"),
    "values of another width": (lambda: regressor(2).fit(X, X[:, :3]), "y has shape (12, 3)", "takes (12, 2)"),
    "labels for values": (lambda: regressor().fit(X, ["low", "high", "high"] * 4), "y holds text labels, 2 different ones",
                          "Dense(2, 'softmax')"),
    "one label for values": (lambda: regressor().fit(X, ["high"] * 12), "y holds the text label 'high' only",
                             "real numbers"),
    "text values": (lambda: regressor().fit(X, [f"{x:.4f}" for x in range(12)]), "y has dtype <U7", "real numbers"),
    "nan values": (lambda: regressor().fit(X, changed(X[:, 0], math.nan)), "y holds nan at (3, 0)", "drop or fill"),
    "huge values": (lambda: regressor().fit(X, changed(X[:, 0], 1e39)), "y holds inf at (3, 0)", "scale values"),
    "probabilities of a regressor": (lambda: regressor().predict_proba(X), "outputs are values", "use predict"),
}


def cases(table):
    return pytest.mark.parametrize(("given", "names", "repair"), table.values(), ids=table)


def refused(call, names, repair):
    """Check that `call` fails with an error that contains both, without a warning."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        call()
    message = str(caught.value)
    assert names in message
    assert repair in message[message.index(names) + len(names):] or repair in names


pytestmark = pytest.mark.filterwarnings("error")


@cases(BAD_X)
def test_bad_X(given, names, repair):
    net = classifier()
    for call in (net.fit, net.evaluate, net.loss_and_gradients):
        refused(partial(call, given, LABELS), names, repair)
    for call in (net.forward, net.predict, net.predict_proba):
        refused(partial(call, given), names, repair)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e39])
@pytest.mark.parametrize("samples", [1, 12, 600])
def test_a_prediction_of_any_size_refuses_what_is_not_finite(samples, value):
    many = changed(np.zeros((samples, 4)), value, (samples // 2, 2))
    refused(lambda: classifier().forward(many), "X holds", "drop or fill")
    if math.isnan(value) or math.isinf(value):
        single = many.astype("float32")
        refused(lambda: classifier().forward(single), f"X holds {value} at ({samples // 2}, 2)", "drop or fill")


def test_a_prediction_after_a_refused_one_is_right():
    net = classifier()
    for samples in (1, 12, 600):
        many = np.ones((samples, 4), "float32")
        expected = net.forward(many)
        refused(partial(net.forward, many * np.inf), "X holds inf", "drop")
        np.testing.assert_array_equal(net.forward(many), expected)


def test_no_samples():
    for call in (classifier().fit, classifier().evaluate, classifier().loss_and_gradients):
        refused(partial(call, X[:0], LABELS[:0]), "X has no samples", "at least 1")


@cases(BAD_LABELS)
def test_bad_labels(given, names, repair):
    net = classifier()
    for call in (net.fit, net.evaluate, net.loss_and_gradients):
        refused(partial(call, X, given), names, repair)


@cases(BAD_BITS)
def test_bad_bits(given, names, repair):
    refused(lambda: yes_no().fit(X, given), names, repair)


@cases(BAD_WEIGHTS)
def test_bad_weights(given, names, repair):
    net = classifier()
    for call in (net.fit, net.evaluate, net.loss_and_gradients):
        refused(partial(call, X, LABELS, sample_weight=given), names, repair)


@cases(BAD_OPTIONS)
def test_bad_options(given, names, repair):
    net = classifier()
    before = {name: view.copy() for name, view in net.parameters.items()}
    refused(lambda: net.fit(X, LABELS, **given), names, repair)
    for name, view in net.parameters.items():
        np.testing.assert_array_equal(view, before[name])


@cases(BAD_NETWORKS)
def test_bad_networks_layers_and_optimizers(given, names, repair):
    refused(given, names, repair)


@pytest.mark.parametrize("call", [classifier().forward, classifier().predict, classifier().predict_proba])
def test_bad_threads_of_a_prediction(call):
    refused(lambda: call(X, threads=0), "threads is 0", "at least 1")


def test_every_activation_and_loss_is_named_where_one_is_unknown():
    for names, call in ((activations, lambda: Dense(2, "?")), (losses, lambda: Network([Dense(2)], 4, loss="?"))):
        with pytest.raises(ValueError, match="unknown") as caught:
            call()
        assert all(name in str(caught.value) for name in names)


# Unusual but valid: the same elements as X in other containers

ROUND = np.round(4 * X)


def on_disk(folder):
    np.save(folder / "X.npy", ROUND)
    return np.load(folder / "X.npy", mmap_mode="r")


def unaligned(array):
    return np.frombuffer(b"." + array.tobytes(), np.uint8)[1:].view(array.dtype).reshape(array.shape)


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


ODD_X = {
    "list": lambda: ROUND.tolist(), "tuple": lambda: tuple(map(tuple, ROUND)), "rows": lambda: list(ROUND),
    "objects": lambda: objects(ROUND.tolist()), "float16": lambda: ROUND.astype(np.float16),
    "float32": lambda: ROUND.astype(np.float32), "long double": lambda: ROUND.astype(np.longdouble),
    "int8": lambda: ROUND.astype(np.int8), "int64": lambda: ROUND.astype(np.int64),
    "big-endian float32": lambda: ROUND.astype(">f4"), "big-endian float64": lambda: ROUND.astype(">f8"),
    "big-endian int16": lambda: ROUND.astype(">i2"), "Fortran order": lambda: np.asfortranarray(ROUND),
    "backwards": lambda: ROUND[::-1].copy()[::-1], "columns backwards": lambda: ROUND[:, ::-1].copy()[:, ::-1],
    "every other": lambda: np.repeat(np.repeat(ROUND, 2, 0), 3, 1)[::2, ::3], "read-only": lambda: read_only(ROUND),
    "read-only float32": lambda: read_only(ROUND.astype("float32")), "unaligned": lambda: unaligned(ROUND),
    "unaligned float32": lambda: unaligned(ROUND.astype("float32")), "masked, nothing missing": lambda: np.ma.array(ROUND),
    "subclass": lambda: ROUND.view(np.recarray),
}


def assert_same_everywhere(given, plain, y):
    net = classifier()
    np.testing.assert_array_equal(net.forward(given), net.forward(plain))
    assert net.evaluate(given, y) == net.evaluate(plain, y)
    loss, gradients = net.loss_and_gradients(given, y)
    other, others = net.loss_and_gradients(plain, y)
    assert loss == other
    np.testing.assert_array_equal(gradients["0.weight"], others["0.weight"])
    assert net.fit(given, y, epochs=2)["loss"] == classifier().fit(plain, y, epochs=2)["loss"]


@pytest.mark.parametrize("form", ODD_X)
@pytest.mark.parametrize("rows", [1, 12])
def test_odd_X(form, rows):
    assert_same_everywhere(ODD_X[form]()[:rows], ROUND[:rows], LABELS[:rows])


def test_X_on_disk(tmp_path):
    assert_same_everywhere(on_disk(tmp_path), ROUND, LABELS)


def test_X_of_bools():
    assert_same_everywhere(X > 0, (X > 0).astype(float), LABELS)


def test_X_with_no_strides():
    assert_same_everywhere(np.broadcast_to(X[0], (12, 4)), np.tile(X[0], (12, 1)), LABELS)
    assert_same_everywhere(np.broadcast_to(X[:, :1], (12, 4)), np.repeat(X[:, :1], 4, axis=1), LABELS)


def test_X_as_a_matrix():
    assert_same_everywhere(X.view(np.matrix), X, LABELS)


def test_X_as_a_data_frame():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcd"), index=range(100, 112))
    assert_same_everywhere(frame, X, pandas.Series(LABELS, index=range(50, 62)))


@pytest.mark.parametrize(
    "weights",
    [[1, 2] * 6, (np.arange(12) % 3).astype(np.uint8), np.ones(12, bool), np.arange(24.0)[::2], np.arange(12, 0, -1)],
    ids=["list", "uint8", "bools", "strided", "ints"],
)
def test_odd_weights(weights):
    expected = classifier().evaluate(X, LABELS, sample_weight=np.array(weights, float))
    assert classifier().evaluate(X, LABELS, sample_weight=weights) == expected


@pytest.mark.parametrize("given", [np.int64(3), np.array(3), 3], ids=["int64", "0-d array", "int"])
def test_odd_sizes(given):
    net = Network((Dense(given, "relu"), Dense(given)), inputs=given, seed=given)
    assert net.outputs == 3
    net.fit(X[:, :3], X[:, :3], epochs=given, batch_size=given, threads=given)


@pytest.mark.parametrize("dtype", ["float32", np.float32, np.dtype("float32"), "f4"])
def test_odd_dtypes(dtype):
    assert classifier(dtype).dtype == "float32"
    assert classifier(float).dtype == "float64"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_given_is_not_changed(dtype):
    net = classifier(dtype)
    given = X.astype(dtype), np.eye(3)[LABELS].astype(dtype), np.arange(12).astype(dtype), LABELS.copy()
    before = [array.copy() for array in given]
    x, y, weights, labels = given
    net.fit(x, y, epochs=2, batch_size=5, sample_weight=weights, class_weight="balanced", validation_data=(x, y, weights))
    net.fit(x, labels, epochs=2)
    net.loss_and_gradients(x, y, sample_weight=weights)
    net.evaluate(x, y, sample_weight=weights)
    net.forward(x)
    net.predict(x[:2])
    for array, kept in zip(given, before, strict=True):
        np.testing.assert_array_equal(array, kept)


def test_numbers_near_the_limit_are_taken():
    largest = float(np.finfo("float32").max)
    assert np.isfinite(Network([Dense(1, initializer="zeros")], 4).forward(np.full((12, 4), largest))).all()
    assert np.isfinite(classifier().forward(np.full((12, 4), np.finfo("float32").tiny / 2))).all()
