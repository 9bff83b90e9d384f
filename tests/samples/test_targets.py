"""All forms of targets: labels, one-hot rows, probabilities and numbers mean the same in any container."""

import numpy as np
import pytest
from nets import BITS, LABELS, X, classifier

from fastnn import Dense, Network


def object_array(values):
    array = np.empty(len(values), object)
    array[:] = values
    return array


LABEL_FORMS = {
    "int64": LABELS, "uint8": LABELS.astype(np.uint8), "int8": LABELS.astype(np.int8), "uint64": LABELS.astype(np.uint64),
    "big-endian": LABELS.astype(">i4"), "float": LABELS.astype(float), "float16": LABELS.astype(np.float16),
    "list": LABELS.tolist(), "tuple": tuple(LABELS.tolist()), "objects": object_array(LABELS.tolist()),
    "column": LABELS[:, None], "strided": np.repeat(LABELS, 2)[::2], "backwards": LABELS[::-1].copy()[::-1],
    "one-hot": np.eye(3)[LABELS], "one-hot ints": np.eye(3, dtype=int)[LABELS],
    "one-hot bools": np.eye(3, dtype=bool)[LABELS],
    "one-hot big-endian": np.eye(3, dtype=">f8")[LABELS], "one-hot Fortran": np.asfortranarray(np.eye(3)[LABELS]),
    "one-hot list": np.eye(3)[LABELS].tolist(),
}


@pytest.mark.parametrize("form", LABEL_FORMS)
def test_forms_of_labels(form):
    net = classifier()
    loss, gradients = net.loss_and_gradients(X, LABELS)
    again, others = net.loss_and_gradients(X, LABEL_FORMS[form])
    assert loss == again
    np.testing.assert_array_equal(gradients["0.weight"], others["0.weight"])
    assert net.evaluate(X, LABEL_FORMS[form]) == net.evaluate(X, LABELS)


NUMBERS = {
    "ints": BITS, "bools": BITS == 1, "floats": BITS.astype(np.float32), "uint8": BITS.astype(np.uint8),
    "big-endian": BITS.astype(">f8"), "objects": object_array(BITS.tolist()), "column": BITS[:, None], "list": BITS.tolist(),
}


@pytest.mark.parametrize("form", NUMBERS)
@pytest.mark.parametrize(
    ("last", "loss"), [("sigmoid", None), ("sigmoid", "squared_error"), ("identity", None), ("tanh", "huber")]
)
def test_forms_of_one_number(form, last, loss):
    net = Network([Dense(1, last)], inputs=4, loss=loss)
    assert net.evaluate(X, NUMBERS[form]) == net.evaluate(X, BITS)
    assert net.loss_and_gradients(X, NUMBERS[form])[0] == net.loss_and_gradients(X, BITS)[0]


def test_two_classes_may_be_bools():
    net = Network([Dense(2, "softmax")], inputs=4)
    assert net.evaluate(X, BITS == 1) == net.evaluate(X, BITS)


def test_probabilities_are_targets_too():
    net = classifier(dtype="float64")
    loss, _ = net.loss_and_gradients(X, np.tile([0.2, 0.3, 0.5], (23, 1)))
    by_class = [net.loss_and_gradients(X, np.full(23, label))[0] for label in range(3)]
    assert loss == pytest.approx(0.2 * by_class[0] + 0.3 * by_class[1] + 0.5 * by_class[2], rel=1e-12)
