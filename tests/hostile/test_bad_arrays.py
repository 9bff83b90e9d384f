"""Every mistake in the data gives a clear error in every public method, and changes nothing.

Every mistake of `faults` × every public method that takes data × every argument of it.
"""

import re
import warnings
from functools import partial

import numpy as np
import pytest
from faults import LABELS, NUMBERS, WEIGHTS, changed
from witness import assert_refused

import fastnn
from fastnn import Adam, BatchNorm, Dense, Dropout, Network

rng = np.random.default_rng(0)
SAMPLES = 12
GOOD = {"X": rng.normal(size=(SAMPLES, 4)), "labels": rng.integers(3, size=SAMPLES), "values": rng.normal(size=(SAMPLES, 2)),
        "bits": rng.integers(2, size=SAMPLES).astype(float), "weights": rng.uniform(0.5, 1.5, SAMPLES)}


def trained(last, loss=None, dtype="float32"):
    """Return a network that has been in a fit, with state that a refused call could change."""
    net = Network([Dense(5, "tanh"), BatchNorm(), Dropout(0.2), last], inputs=4, loss=loss, dtype=dtype)
    net.fit(GOOD["X"], right_targets(net), optimizer=Adam(0.01), progress=False)
    return net


def right_targets(net):
    return GOOD[{"softmax": "labels", "sigmoid": "bits"}.get(net.layers[-1].activation, "values")]


NETS = {"classes": lambda dtype="float32": trained(Dense(3, "softmax"), dtype=dtype),
        "bits": lambda dtype="float32": trained(Dense(1, "sigmoid"), dtype=dtype),
        "values": lambda dtype="float32": trained(Dense(2), "huber", dtype=dtype)}
# Every public method: what it does with X, targets and weights.
WAYS_IN = {
    "fit": lambda net, x, y, w: net.fit(x, y, sample_weight=w, progress=False),
    "validation": lambda net, x, y, w: net.fit(GOOD["X"], right_targets(net), validation_data=(x, y, w), progress=False),
    "evaluate": lambda net, x, y, w: net.evaluate(x, y, sample_weight=w),
    "loss_and_gradients": lambda net, x, y, w: net.loss_and_gradients(x, y, sample_weight=w),
    "loss_function": lambda net, x, y, w: net.loss_function(x, y, sample_weight=w, training=True),
    "check_gradients": lambda net, x, y, w: fastnn.check_gradients(net, x, y, sample_weight=w),
}
WAYS_IN_OF_X = {"forward": lambda net, x: net.forward(x), "predict": lambda net, x: net.predict(x),
                "predict_proba": lambda net, x: net.predict_proba(x)}

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module", params=NETS)
def net(request):
    return NETS[request.param]()


def without_warnings(make, good):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of NumPy, on making what is wrong
        return make(good)


def refused(net, argument, fault, good):
    """Call every public method with the mistake in one argument and valid values for the others."""
    for way, call in WAYS_IN.items():
        wrong = without_warnings(fault, good)
        given = {"X": GOOD["X"], "y": right_targets(net), "sample_weight": None} | {argument: wrong}
        assert_refused(partial(call, net, *given.values()), argument, wrong, net, given.values(), way)


# Mistakes in the number of rows of X: then the targets do not fit, and without targets it is no mistake.
OTHER_ROWS = "a row too few", "a row too many", "a frame one row short"


@pytest.mark.parametrize("fault", [name for name in NUMBERS if name not in OTHER_ROWS])
def test_X(net, fault):
    refused(net, "X", NUMBERS[fault], GOOD["X"])


@pytest.mark.parametrize("fault", OTHER_ROWS)
def test_other_rows_than_targets(net, fault):
    for way, call in WAYS_IN.items():
        wrong, y = NUMBERS[fault](GOOD["X"]), right_targets(net)
        assert_refused(partial(call, net, wrong, y, None), "y", y, net, [wrong], way)


@pytest.mark.parametrize("fault", [name for name in NUMBERS if name not in OTHER_ROWS])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_X_of_a_prediction(fault, dtype):
    net = NETS["classes"](dtype)
    for way, call in WAYS_IN_OF_X.items():
        wrong = without_warnings(NUMBERS[fault], GOOD["X"])
        if fault == "no rows":
            assert len(call(net, wrong)) == 0
        else:
            assert_refused(partial(call, net, wrong), "X", wrong, net, [wrong], way)


@pytest.mark.parametrize("rows", [1, 5, 20])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_number_of_X_wherever_it_stands(rows, value, dtype):
    net = Network([Dense(3)], inputs=4, dtype=dtype)
    for place in np.ndindex(rows, 4):
        X = np.ones((rows, 4), dtype)
        X[place] = value
        with pytest.raises(ValueError, match=re.escape(str(place))):
            net.forward(X)


TEXTS = "text", "a list of text", "a frame with text", "a frame of categories"  # and so labels where classes are wanted


@pytest.mark.parametrize("fault", NUMBERS)
def test_targets(net, fault):
    if fault in TEXTS and net.layers[-1].activation in ("softmax", "sigmoid"):
        pytest.skip("texts are labels: tests/network/test_class_names.py")
    good = right_targets(net)
    refused(net, "y", NUMBERS[fault], good[:, None] if fault == "3 axes" and good.ndim == 1 else good)


@pytest.mark.parametrize("fault", LABELS)
def test_labels(fault):
    refused(NETS["classes"](), "y", LABELS[fault], GOOD["labels"])


PROBABILITIES = "half float", "not whole", "a fraction", "almost whole"  # and so no mistake where one is wanted


@pytest.mark.parametrize("fault", [name for name in LABELS if name not in PROBABILITIES])
def test_labels_where_one_probability_is_wanted(fault):
    refused(NETS["bits"](), "y", LABELS[fault], changed(GOOD["bits"].astype(int), 1))


@pytest.mark.parametrize("fault", [*NUMBERS, *WEIGHTS])
def test_weights(net, fault):
    good = GOOD["weights"]
    refused(net, "sample_weight", (NUMBERS | WEIGHTS)[fault], good[:, None] if fault == "3 axes" else good)


@pytest.mark.parametrize("name", NETS)
def test_after_all_that_training_goes_on_as_if_nothing_had_been(name):
    net, untouched = NETS[name](), NETS[name]()
    for fault in ("nan", "nan in float32", "3 axes", "ragged", "masked", "text"):
        for call in WAYS_IN.values():
            with pytest.raises(ValueError, match="X"):
                call(net, without_warnings(NUMBERS[fault], GOOD["X"]), right_targets(net), None)
        for rows in (GOOD["X"], np.tile(GOOD["X"], (2, 1))):  # few are predicted in a way of their own
            with pytest.raises(ValueError, match="X"):
                net.forward(without_warnings(NUMBERS[fault], rows))
            assert net.forward(rows).tobytes() == untouched.forward(rows).tobytes()
    again = [each.fit(GOOD["X"], right_targets(each), epochs=2, batch_size=5, progress=False) for each in (net, untouched)]
    assert again[0]["loss"] == again[1]["loss"]
    for view, other in zip(net.parameters.values(), untouched.parameters.values(), strict=True):
        assert view.tobytes() == other.tobytes()
